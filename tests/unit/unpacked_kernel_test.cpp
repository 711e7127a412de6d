// SPDX-License-Identifier: Apache-2.0
// Debian's kernel unpacked at build time: found in its file, laid out, and taken by the hypervisor's own loader.
#include "drivervms/image/bzimage.hpp"
#include "drivervms/image/elf_file.hpp"
#include "drivervms/image/files.hpp"
#include "drivervms/image/unpacked_kernel.hpp"
#include "hypervisor/core/boot_protocol.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace casemate;
using namespace casemate::image;

namespace {

constexpr std::uint64_t base = 0x1000000, link_base = 0xffffffff81000000;
constexpr std::uint64_t text_at = 0x1000, data_at = 0x2000, file_size = 0x3000;

template <typename T>
void put(Bytes& file, std::size_t offset, T value) {
    std::memcpy(file.data() + offset, &value, sizeof value);
}

/// Code and, with a gap before it, data and what is zero at the start.
struct Vmlinux {
    Elf64_Ehdr header{};
    Elf64_Phdr text{PT_LOAD, PF_R | PF_X, text_at, link_base, base, 0x800, 0x800, 0x200000};
    Elf64_Phdr data{PT_LOAD, PF_R | PF_W, data_at, link_base + 0x1000, base + 0x1000, 0x1000, 0x9000, 0x200000};
    Elf64_Phdr note{PT_NOTE, 0, 0, 0, 0, 0, 0, 0};

    Vmlinux() {
        std::memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
        header.e_type = ET_EXEC, header.e_machine = EM_X86_64, header.e_version = 1;
        header.e_entry = base + 0x40;
        header.e_phoff = sizeof header, header.e_phentsize = sizeof text, header.e_phnum = 3;
    }

    [[nodiscard]] Bytes bytes() const {
        Bytes file(file_size);
        std::fill_n(file.begin() + text_at, 0x800, 0xAA);
        std::fill_n(file.begin() + data_at, 0x400, 0xBB);
        put(file, 0, header);
        for (std::size_t at = sizeof header; const Elf64_Phdr& each : {text, data, note}) put(file, at, each), at += sizeof each;
        return file;
    }
};

constexpr std::size_t header_size = 0x26C - 0x1F1;

/// Two setup sectors, then `payload` and the size that it unpacks to.
Bytes bzimage(const Bytes& payload, std::uint32_t unpacked_size) {
    Bytes file(1024 + payload.size() + 4);
    put<std::uint8_t>(file, 0x1F1, 1);
    put<std::uint16_t>(file, 0x1FE, 0xAA55);
    put<std::uint16_t>(file, 0x200, 0x6AEB);
    put<std::uint32_t>(file, 0x202, 0x53726448);
    put<std::uint16_t>(file, 0x206, 0x20F);
    put<std::uint8_t>(file, 0x211, 3); // with KASLR_FLAG
    put<std::uint32_t>(file, 0x22C, 0x7fffffff);
    put<std::uint16_t>(file, 0x236, 0x7F);
    put<std::uint32_t>(file, 0x238, 2047);
    put<std::uint32_t>(file, 0x24C, static_cast<std::uint32_t>(payload.size() + 4));
    put<std::uint64_t>(file, 0x258, base);
    put<std::uint32_t>(file, 0x260, 60 << 20);
    std::copy(payload.begin(), payload.end(), file.begin() + 1024);
    put(file, file.size() - 4, unpacked_size);
    return file;
}

/// By the tool, with the options with which the kernel is built.
Bytes packed(const Bytes& bytes, const std::string& command) {
    char directory[] = "/tmp/casemate-test-XXXXXX";
    REQUIRE(mkdtemp(directory) != nullptr);
    const std::string in = std::string{directory} + "/in", out = std::string{directory} + "/out";
    write_file(in, bytes);
    REQUIRE(std::system((command + " < " + in + " > " + out).c_str()) == 0);
    const Bytes result = read_file(out);
    std::filesystem::remove_all(directory);
    return result;
}

Bytes cut(const Bytes& bytes, std::size_t size) { return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}; }

} // namespace

TEST_CASE("a kernel is laid out by physical address, without the zeros at its end", "[kernel]") {
    const FlatKernel kernel = flatten(Vmlinux{}.bytes());
    CHECK(kernel.entry == 0x40);
    CHECK(kernel.memory_size == 0x1000 + 0x9000);
    REQUIRE(kernel.bytes.size() == 0x1400);
    CHECK(kernel.bytes[0x7ff] == 0xAA);
    CHECK(kernel.bytes[0x800] == 0);
    CHECK(kernel.bytes[0xfff] == 0);
    CHECK(kernel.bytes[0x1000] == 0xBB);
    CHECK(kernel.bytes[0x13ff] == 0xBB);
}

TEST_CASE("a kernel file that contradicts itself is refused", "[kernel]") {
    Vmlinux file;
    SECTION("other magic") { file.header.e_ident[1] = 'e'; }
    SECTION("32 bits") { file.header.e_ident[EI_CLASS] = ELFCLASS32; }
    SECTION("shared object") { file.header.e_type = ET_DYN; }
    SECTION("other machine") { file.header.e_machine = EM_AARCH64; }
    SECTION("program headers of another size") { file.header.e_phentsize = 57; }
    SECTION("program headers past the end") { file.header.e_phoff = file_size - 56; }
    SECTION("no segment") { file.text.p_type = file.data.p_type = PT_NOTE; }
    SECTION("a base between the steps") { file.text.p_paddr += 0x1000, file.data.p_paddr += 0x1000, file.header.e_entry += 0x1000; }
    SECTION("a segment past the end") { file.text.p_offset = file_size - 0x7ff; }
    SECTION("a segment that wraps around") { file.text.p_offset = ~0ull - 0x100; }
    SECTION("more in the file than in memory") { file.data.p_memsz = 0xfff; }
    SECTION("segments that overlap") { file.text.p_memsz = 0x1001; }
    SECTION("segments that descend") { std::swap(file.text, file.data); }
    SECTION("a segment that is too large") { file.data.p_memsz = 128 << 20; }
    SECTION("a segment whose end wraps around") { file.data.p_memsz = ~0ull - 0x1000; }
    SECTION("an entry before") { file.header.e_entry = base - 1; }
    SECTION("an entry in the gap") { file.header.e_entry = base + 0x800; }
    SECTION("an entry in zeros") { file.text.p_filesz = 1, file.header.e_entry = base + 1; }
    SECTION("an entry in data") { file.header.e_entry = base + 0x1000; }
    CHECK_THROWS_AS(flatten(file.bytes()), std::runtime_error);
}

TEST_CASE("every truncation of a kernel is refused", "[kernel]") {
    const Bytes whole = Vmlinux{}.bytes();
    for (std::size_t size = 0; size < data_at + 0x1000; ++size) CHECK_THROWS_AS(flatten(cut(whole, size)), std::runtime_error);
}

TEST_CASE("the hypervisor's loader takes an unpacked kernel, whose first instruction jumps to startup_64", "[kernel]") {
    const Bytes vmlinux = Vmlinux{}.bytes();
    for (const char* command : {"xz --check=crc32 --x86 --lzma2=dict=1MiB", "lz4 -lc", "zstd -qc"}) {
        INFO(command);
        const Bytes file = unpacked_kernel(bzimage(packed(vmlinux, command), file_size));
        std::vector<std::uint8_t> ram(4 << 20);
        const auto entry = core::load_linux(mm::GuestMemory{ram}, {file, {}, "quiet"}, {});
        REQUIRE(entry.ok());
        const std::uint64_t rip = entry.value().rip;
        CHECK(rip == 0x1FF200);
        REQUIRE(ram[rip] == 0xE9);
        std::int32_t distance;
        std::memcpy(&distance, &ram[rip + 1], 4);
        CHECK(rip + 5 + static_cast<std::uint64_t>(distance) == kernel_step + 0x40);
        const FlatKernel kernel = flatten(vmlinux);
        CHECK(std::equal(kernel.bytes.begin(), kernel.bytes.end(), ram.begin() + kernel_step));
    }
}

TEST_CASE("the header of an unpacked kernel says what is true of it and else what its packed one said", "[kernel]") {
    const Bytes packed_file = bzimage(Bytes{0xFD, '7', 'z', 'X', 'Z', 0}, 0);
    const Bytes file = boot_file(parse_bzimage(packed_file).setup_header, flatten(Vmlinux{}.bytes()));
    CHECK(file.size() == 1024 + 4096 + 0x1400);
    const auto at = [&]<typename T>(std::size_t offset, T) {
        T value;
        std::memcpy(&value, file.data() + offset, sizeof value);
        return value;
    };
    CHECK(at(0x1F4, std::uint32_t{}) == (4096 + 0x1400) / 16);
    CHECK(at(0x211, std::uint8_t{}) == 1);
    CHECK(at(0x22C, std::uint32_t{}) == 0x7fffffff);
    CHECK(at(0x230, std::uint32_t{}) == 4096);
    CHECK(at(0x234, std::uint8_t{}) == 0);
    CHECK(at(0x236, std::uint16_t{}) == 1);
    CHECK(at(0x238, std::uint32_t{}) == 2047);
    CHECK(at(0x24C, std::uint32_t{}) == 0);
    CHECK(at(0x258, std::uint64_t{}) == 0x1FF000);
    CHECK(at(0x260, std::uint32_t{}) == 4096 + 0xA000);
}

TEST_CASE("a damaged kernel file is refused", "[kernel]") {
    Bytes file = bzimage(packed(Vmlinux{}.bytes(), "lz4 -lc"), file_size);
    SECTION("magic") { file[0x202] ^= 1; }
    SECTION("boot flag") { file[0x1FF] ^= 1; }
    SECTION("old version") { put<std::uint16_t>(file, 0x206, 0x20E); }
    SECTION("header too short") { file[0x201] = 0x69; }
    SECTION("setup sectors past the end") { file[0x1F1] = 200; }
    SECTION("payload past the end") { put<std::uint32_t>(file, 0x248, 1); }
    SECTION("payload that wraps around") { put<std::uint32_t>(file, 0x248, ~0u); }
    SECTION("no payload") { put<std::uint32_t>(file, 0x24C, 4); }
    SECTION("unknown packing") { file[1024] ^= 1; }
    SECTION("another size") { put<std::uint32_t>(file, file.size() - 4, file_size + 1); }
    CHECK_THROWS_AS(unpacked_kernel(file), std::runtime_error);
}

TEST_CASE("every truncation of a kernel file is refused", "[kernel]") {
    const Bytes file = bzimage(Bytes{0xFD, '7', 'z', 'X', 'Z', 0}, 0);
    CHECK(parse_bzimage(file).setup_header.size() == header_size);
    for (std::size_t size = 0; size < file.size(); ++size) CHECK_THROWS_AS(parse_bzimage(cut(file, size)), std::runtime_error);
}
