// SPDX-License-Identifier: Apache-2.0
// The strict ELF parser of the SLB: one good file, and every way in which it may not be loaded.
#include "dlaunch/slb/elf_image.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace casemate;
using namespace casemate::slb;

namespace {

constexpr std::uint64_t window = 0x400000 - 0x1000;

struct Phdr {
    std::uint32_t type, flags;
    std::uint64_t offset, vaddr, filesz, memsz;
};

/// A file of 0x3000 bytes with a text, a constant and a data segment.
struct ElfFile {
    std::vector<Phdr> segments{{1, 5, 0x1000, link_base, 0x800, 0x800},
                               {1, 4, 0x2000, link_base + 0x1000, 0x100, 0x100},
                               {1, 6, 0x2100, link_base + 0x2000, 0x200, 0x5000}};
    std::uint64_t entry = link_base + 0x10;
    std::uint64_t table = 64;
    std::uint16_t type = 2, machine = 62, count = 3;

    std::vector<std::uint8_t> bytes() const {
        std::vector<std::uint8_t> file(0x3000);
        LittleEndianWriter out{file};
        out.bytes(std::array<std::uint8_t, 16>{0x7f, 'E', 'L', 'F', 2, 1, 1});
        out.u16(type), out.u16(machine), out.u32(1), out.u64(entry), out.u64(table), out.u64(0), out.u32(0);
        out.u16(64), out.u16(56), out.u16(count), out.u16(64), out.u16(0), out.u16(0);
        for (const Phdr& s : segments) {
            out.u32(s.type), out.u32(s.flags), out.u64(s.offset), out.u64(s.vaddr), out.u64(0);
            out.u64(s.filesz), out.u64(s.memsz), out.u64(0x1000);
        }
        return file;
    }
    ElfError error() const {
        const auto parsed = ElfImage::parse(bytes(), window);
        REQUIRE_FALSE(parsed.ok());
        return parsed.error();
    }
};

} // namespace

TEST_CASE("a static ELF file becomes segments with permissions and a page-aligned size") {
    const auto parsed = ElfImage::parse(ElfFile{}.bytes(), window);
    REQUIRE(parsed.ok());
    const ElfImage& image = parsed.value();
    CHECK(image.segment_count == 3);
    CHECK(image.entry == link_base + 0x10);
    CHECK(image.size == 0x7000);
    CHECK(image.segments[0].executable);
    CHECK_FALSE(image.segments[0].writable);
    CHECK_FALSE(image.segments[1].executable);
    CHECK(image.segments[2].writable);
    CHECK(image.segments[2].file_offset == 0x2100);
    CHECK(image.segments[2].size == 0x5000);
}

TEST_CASE("every truncation of an ELF file is refused") {
    const auto whole = ElfFile{}.bytes();
    for (std::size_t size = 0; size < 0x2300; ++size) {
        const auto parsed = ElfImage::parse(ByteView{whole}.first(size), window);
        if (parsed.ok()) FAIL("accepted " << size << " bytes");
    }
    CHECK(ElfImage::parse(ByteView{whole}.first(0x2300), window).ok()); // nothing but padding is missing
}

TEST_CASE("a file for another machine, class or loader is refused by its header") {
    ElfFile file;
    file.type = 3; // shared object
    CHECK(file.error() == ElfError::header);
    file = {};
    file.machine = 3;
    CHECK(file.error() == ElfError::header);
    auto bytes = ElfFile{}.bytes();
    for (const std::size_t at : {0, 4, 5, 6, 7}) {
        auto broken = bytes;
        broken[at] ^= 0x40;
        CHECK(ElfImage::parse(broken, window).error() == ElfError::header);
    }
    bytes[7] = 3; // ELFOSABI_GNU is fine
    CHECK(ElfImage::parse(bytes, window).ok());
}

TEST_CASE("a program header table that is missing or outside the file is refused") {
    ElfFile file;
    file.count = 0;
    CHECK(file.error() == ElfError::table);
    file = {};
    file.table = 0x3000 - 3 * 56 + 1;
    CHECK(file.error() == ElfError::table);
    file.table = ~0ull - 8;
    CHECK(file.error() == ElfError::table);
    file = {};
    file.segments.clear();
    for (std::uint64_t i = 0; i < 9; ++i)
        file.segments.push_back({1, 4, 0, link_base + i * 0x1000, 0x10, 0x10});
    file.count = 9;
    CHECK(file.error() == ElfError::table);
}

TEST_CASE("a segment that needs a dynamic loader is refused, a stack or note segment is ignored") {
    ElfFile file;
    file.segments[1].type = 2; // PT_DYNAMIC
    CHECK(file.error() == ElfError::segment_type);
    file.segments[1].type = 0x6474e551;
    CHECK(ElfImage::parse(file.bytes(), window).value().segment_count == 2);
}

TEST_CASE("a segment's bytes must lie in the file") {
    ElfFile file;
    file.segments[2].offset = 0x2f00;
    CHECK(file.error() == ElfError::file_range);
    file.segments[2].offset = ~0ull;
    CHECK(file.error() == ElfError::file_range);
    file = {};
    file.segments[2].filesz = ~0ull - 0x1000;
    CHECK(file.error() == ElfError::file_range);
}

TEST_CASE("a segment's memory must lie in the window, on pages of its own, in ascending order") {
    const auto with_data_at = [](std::uint64_t vaddr, std::uint64_t memsz) {
        ElfFile file;
        file.segments[2].vaddr = vaddr;
        file.segments[2].memsz = memsz;
        return file.error();
    };
    CHECK(with_data_at(link_base + 0x2008, 0x200) == ElfError::alignment);
    CHECK(with_data_at(link_base - 0x1000, 0x200) == ElfError::memory_range);
    CHECK(with_data_at(0x100000, 0x200) == ElfError::memory_range);
    CHECK(with_data_at(link_base + window, 0x200) == ElfError::memory_range);
    CHECK(with_data_at(link_base + 0x2000, window) == ElfError::memory_range);
    CHECK(with_data_at(link_base + 0x2000, ~0ull) == ElfError::memory_range);
    CHECK(with_data_at(link_base + 0x1000, 0x200) == ElfError::memory_range); // overlaps the constants
    CHECK(with_data_at(link_base + 0x2000, 0x100) == ElfError::memory_range); // less memory than file
    CHECK(with_data_at(link_base + 0x2000, 0) == ElfError::memory_range);
}

TEST_CASE("no segment is writable and executable, or unreadable") {
    for (const std::uint32_t flags : {7u, 3u, 2u, 1u, 0u}) {
        ElfFile file;
        file.segments[1].flags = flags;
        CHECK(file.error() == ElfError::permissions);
    }
}

TEST_CASE("the entry lies in the file part of an executable segment") {
    for (const std::uint64_t entry : {link_base + 0x800, link_base + 0x1000, link_base + 0x2000, std::uint64_t{0}}) {
        ElfFile file;
        file.entry = entry;
        CHECK(file.error() == ElfError::entry);
    }
}
