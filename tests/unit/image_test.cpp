// SPDX-License-Identifier: Apache-2.0
// The image builder: archives whose bytes depend on their contents only, module order, ELF dependencies.
#include "drivervms/image/cpio.hpp"
#include "drivervms/image/elf_needed.hpp"
#include "drivervms/image/files.hpp"
#include "drivervms/image/modules.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

using namespace casemate::image;

namespace {

Node file(const std::string& text) { return {.data = {text.begin(), text.end()}}; }

std::string text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

/// Field `index` of the header at `offset`: eight hexadecimal digits after the magic.
unsigned long field(const Bytes& archive, std::size_t offset, unsigned index) {
    return std::stoul(text(archive).substr(offset + 6 + 8 * index, 8), nullptr, 16);
}

const char* const dep_lines = "kernel/drivers/nvme/host/nvme.ko: kernel/drivers/nvme/host/nvme-core.ko kernel/block/t10-pi.ko\n"
                              "kernel/drivers/nvme/host/nvme-core.ko: kernel/block/t10-pi.ko\n"
                              "kernel/block/t10-pi.ko:\n";

} // namespace

TEST_CASE("an archive's bytes do not depend on the order in which files were added", "[image]") {
    Archive one;
    one.add("/init", file("run"));
    one.add("/bin/sh", file("shell"));
    one.add("/bin/ls", {NodeKind::link, 0777, {'s', 'h'}});
    Archive other;
    other.add("/bin/ls", {NodeKind::link, 0777, {'s', 'h'}});
    other.add("/bin/sh", file("shell"));
    other.add("/bin", {NodeKind::directory, 0755});
    other.add("/init", file("run"));
    CHECK(one.serialize() == other.serialize());
}

TEST_CASE("an archive has the newc layout: no time, no owner, counted inodes, a trailer, whole blocks", "[image]") {
    Archive archive;
    archive.add("/init", {.permissions = 0755, .data = {'r', 'u', 'n'}});
    const Bytes bytes = archive.serialize();
    CHECK(text(bytes).substr(0, 6) == "070701");
    CHECK(field(bytes, 0, 0) == 1);       // inode
    CHECK(field(bytes, 0, 1) == 0100755); // mode
    CHECK(field(bytes, 0, 2) == 0);       // uid
    CHECK(field(bytes, 0, 3) == 0);       // gid
    CHECK(field(bytes, 0, 5) == 0);       // mtime
    CHECK(field(bytes, 0, 6) == 3);       // size
    CHECK(field(bytes, 0, 11) == 5);      // name with its NUL
    CHECK(text(bytes).substr(110, 4) == "init");
    CHECK(text(bytes).substr(116, 3) == "run");
    CHECK(text(bytes).substr(120 + 110, 10) == "TRAILER!!!");
    CHECK(bytes.size() == 512);
}

TEST_CASE("parents come before their children", "[image]") {
    Archive archive;
    archive.add("/a/b/c", file("x"));
    std::vector<std::string> names;
    for (const auto& [name, node] : archive.nodes()) names.push_back(name);
    CHECK(names == std::vector<std::string>{"a", "a/b", "a/b/c"});
}

TEST_CASE("paths that are not absolute and normal are refused", "[image]") {
    Archive archive;
    for (const char* path : {"", "/", "a", "/a/", "//a", "/a//b", "/a/../b", "/./a", "/a/.", "/.."})
        CHECK_THROWS_AS(archive.add(path, {}), std::invalid_argument);
}

TEST_CASE("two different files at one path are refused and the same file twice is not", "[image]") {
    Archive archive;
    archive.add("/lib/libc.so.6", file("one"));
    CHECK_NOTHROW(archive.add("/lib/libc.so.6", file("one")));
    CHECK_THROWS_AS(archive.add("/lib/libc.so.6", file("two")), std::invalid_argument);
}

TEST_CASE("a module is loaded after everything that it depends on", "[image]") {
    const auto table = ModuleTable::create(dep_lines);
    CHECK(table.load_order("nvme") == std::vector<std::string>{"kernel/block/t10-pi.ko",
                                                                "kernel/drivers/nvme/host/nvme-core.ko",
                                                                "kernel/drivers/nvme/host/nvme.ko"});
    CHECK(table.load_order("nvme_core") == table.load_order("nvme-core"));
    CHECK_THROWS_AS(table.load_order("e1000e"), std::runtime_error);
    CHECK_THROWS_AS(ModuleTable::create("no colon here\n"), std::runtime_error);
}

TEST_CASE("the libraries of a dynamic program are found with its interpreter", "[image]") {
    const auto libraries = libraries_of("/proc/self/exe");
    const auto has = [&](const std::string& path) {
        return std::any_of(libraries.begin(), libraries.end(), [&](const auto& entry) { return entry.first == path; });
    };
    CHECK(has("/lib64/ld-linux-x86-64.so.2"));
    CHECK(has("/usr/lib/libc.so.6"));
    CHECK(has("/usr/lib/libstdc++.so.6"));
}

TEST_CASE("an ELF file cut anywhere within its headers is refused, never read past", "[image]") {
    const Bytes whole = read_file("/usr/bin/env");
    CHECK_FALSE(needed_by(whole).libraries.empty());
    for (std::size_t size = 0; size < 64 + 56 * 3; ++size)
        CHECK_THROWS_AS(needed_by(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
                        std::runtime_error);
}

TEST_CASE("compression is reproducible and an unknown method is refused", "[image]") {
    const Bytes bytes(100'000, 42);
    for (const char* method : {"none", "zstd"}) CHECK(compressed(bytes, method) == compressed(bytes, method));
    CHECK_THROWS_AS(compressed(bytes, "gzip -9"), std::runtime_error);
}

TEST_CASE("a file that cannot be read is an error with its name", "[image]") {
    CHECK_THROWS_WITH(read_file("/nonexistent/file"), Catch::Contains("/nonexistent/file"));
}
