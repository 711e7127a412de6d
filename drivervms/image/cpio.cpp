// SPDX-License-Identifier: Apache-2.0
// Implements cpio.hpp.
#include "drivervms/image/cpio.hpp"

#include <cstdio>
#include <stdexcept>

namespace casemate::image {
namespace {

constexpr std::size_t alignment = 4;
constexpr std::size_t block = 512;

void pad(Bytes& out, std::size_t multiple) { out.resize((out.size() + multiple - 1) / multiple * multiple); }

void append(Bytes& out, const std::string& text) {
    out.insert(out.end(), text.begin(), text.end());
    out.push_back(0);
}

void append_node(Bytes& out, const std::string& name, const Node& node, std::uint32_t inode) {
    const std::uint32_t mode = inode == 0 ? 0 : static_cast<std::uint32_t>(node.kind) | node.permissions;
    char header[111];
    std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, mode,
                  0U, 0U, node.kind == NodeKind::directory ? 2U : 1U, 0U,
                  static_cast<unsigned>(node.data.size()), 0U, 0U, node.device_major, node.device_minor,
                  static_cast<unsigned>(name.size() + 1), 0U);
    out.insert(out.end(), header, header + 110);
    append(out, name);
    pad(out, alignment);
    out.insert(out.end(), node.data.begin(), node.data.end());
    pad(out, alignment);
}

bool same(const Node& a, const Node& b) {
    return a.kind == b.kind && a.permissions == b.permissions && a.data == b.data &&
           a.device_major == b.device_major && a.device_minor == b.device_minor;
}

bool is_normal(const std::string& path) {
    if (path.size() < 2 || path.front() != '/' || path.back() == '/') return false;
    const std::string parts = path + '/';
    for (const char* bad : {"//", "/./", "/../"})
        if (parts.find(bad) != std::string::npos) return false;
    return true;
}

} // namespace

void Archive::add_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
        nodes_.try_emplace(path.substr(0, slash), Node{.kind = NodeKind::directory, .permissions = 0755});
}

void Archive::add(const std::string& path, Node node) {
    if (!is_normal(path)) throw std::invalid_argument("not an absolute, normal path: " + path);
    const std::string name = path.substr(1);
    add_parents(name);
    const auto [place, added] = nodes_.try_emplace(name, node);
    if (!added && !same(place->second, node)) throw std::invalid_argument("two different files at " + path);
}

Bytes Archive::serialize() const {
    Bytes out;
    std::uint32_t inode = 0;
    for (const auto& [name, node] : nodes_) append_node(out, name, node, ++inode);
    append_node(out, "TRAILER!!!", {}, 0);
    pad(out, block);
    return out;
}

} // namespace casemate::image
