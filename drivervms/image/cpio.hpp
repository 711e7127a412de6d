// SPDX-License-Identifier: Apache-2.0
// Writes an initial RAM file system: a "newc" cpio archive [LINUX driver-api/early-userspace/buffer-format].
// Invariant: the same entries give the same bytes, in whatever order they are added: sorted by path, parents
// first, owner 0:0, time 0, inode numbers counted from 1, one link each.
// Who calls it: casemate-image and its tests. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace casemate::image {

using Bytes = std::vector<std::uint8_t>;

enum class NodeKind : std::uint32_t { directory = 0040000, file = 0100000, link = 0120000, character = 0020000 };

struct Node {
    NodeKind kind = NodeKind::file;
    std::uint32_t permissions = 0644;
    Bytes data{}; // a file's contents, a link's target
    std::uint32_t device_major = 0;
    std::uint32_t device_minor = 0;
};

class Archive {
public:
    /// `path` is absolute and normal ("/bin/sh"); missing parent directories appear by themselves.
    /// Throws std::invalid_argument for any other path, and when the path exists with other contents.
    void add(const std::string& path, Node node);

    [[nodiscard]] const std::map<std::string, Node>& nodes() const { return nodes_; }
    [[nodiscard]] Bytes serialize() const;

private:
    void add_parents(const std::string& path);
    std::map<std::string, Node> nodes_; // by path without the leading slash
};

} // namespace casemate::image
