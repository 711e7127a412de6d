// SPDX-License-Identifier: Apache-2.0
// The loader of guest kernels, the decoder of instructions that touch virtual devices, the console budget.
#include "hypervisor/core/boot_protocol.hpp"
#include "hypervisor/core/instruction_decoder.hpp"
#include "hypervisor/core/line_budget.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <vector>

using namespace casemate;
using namespace casemate::core;

namespace {

constexpr std::uint64_t load_at = 0x200000, memory_size = 8 << 20;

template <typename T>
void put(std::vector<std::uint8_t>& file, std::size_t offset, T value) {
    std::memcpy(file.data() + offset, &value, sizeof value);
}

/// One setup sector, then 4096 bytes of payload.
std::vector<std::uint8_t> make_kernel() {
    std::vector<std::uint8_t> file(1024 + 4096, 0xCC);
    std::fill_n(file.begin(), 1024, 0);
    put<std::uint8_t>(file, 0x1F1, 1);
    put<std::uint16_t>(file, 0x1FE, 0xAA55);
    put<std::uint16_t>(file, 0x200, 0x64EB);
    put<std::uint32_t>(file, 0x202, 0x53726448);
    put<std::uint16_t>(file, 0x206, 0x20F);
    put<std::uint32_t>(file, 0x22C, 0x7fffffff);
    put<std::uint16_t>(file, 0x236, 1);
    put<std::uint32_t>(file, 0x238, 255);
    put<std::uint64_t>(file, 0x258, load_at);
    put<std::uint32_t>(file, 0x260, 0x10000);
    return file;
}

struct Guest {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(memory_size);
    mm::GuestMemory memory{bytes};
    std::vector<std::uint8_t> kernel = make_kernel();
    std::vector<std::uint8_t> initrd = std::vector<std::uint8_t>(10000, 0x55);

    Result<BootEntry, BootError> load(std::string_view line = "console=ttyS0") {
        return load_linux(memory, {kernel, initrd, line}, {});
    }
    template <typename T>
    T at(std::uint64_t where) {
        return memory.read<T>(GuestPhys{where}).value();
    }
};

std::optional<MemoryAccess> decode(std::initializer_list<std::uint8_t> code) {
    const std::vector<std::uint8_t> bytes{code};
    return decode_memory_access(bytes);
}

} // namespace

TEST_CASE("a kernel, its initrd and command line lie where boot_params says", "[boot]") {
    Guest guest;
    const auto entry = guest.load();
    REQUIRE(entry.ok());
    CHECK(entry.value().rip == load_at + 0x200);
    const std::uint64_t params = entry.value().rsi;
    CHECK(guest.at<std::uint8_t>(params + 0x210) == 0xFF);
    CHECK(guest.at<std::uint8_t>(load_at) == 0xCC);
    const auto line = guest.at<std::uint32_t>(params + 0x228);
    CHECK(std::string{reinterpret_cast<const char*>(&guest.bytes[line])} == "console=ttyS0");
    const auto ramdisk = guest.at<std::uint32_t>(params + 0x218);
    CHECK(ramdisk % page_size == 0);
    CHECK(guest.at<std::uint32_t>(params + 0x21C) == 10000);
    CHECK(guest.bytes[ramdisk] == 0x55);
    CHECK(guest.bytes[ramdisk + 9999] == 0x55);
    CHECK(ramdisk + 10000 <= memory_size - devices::acpi_area_size);
    const auto rsdp = guest.at<std::uint64_t>(params + 0x70);
    CHECK(std::memcmp(&guest.bytes[rsdp], "RSD PTR ", 8) == 0);
}

TEST_CASE("the memory map covers the guest's memory exactly, without overlap", "[boot]") {
    Guest guest;
    const std::uint64_t params = guest.load().value().rsi;
    std::uint64_t next = 0;
    for (unsigned i = 0; i < guest.at<std::uint8_t>(params + 0x1E8); ++i) {
        CHECK(guest.at<std::uint64_t>(params + 0x2D0 + 20 * i) == next);
        next += guest.at<std::uint64_t>(params + 0x2D0 + 20 * i + 8);
    }
    CHECK(next == memory_size);
}

TEST_CASE("the first page tables map the kernel at its own address", "[boot]") {
    Guest guest;
    const BootEntry entry = guest.load().value();
    const auto level3 = guest.at<std::uint64_t>(entry.cr3) & ~0xfffull;
    const auto level2 = guest.at<std::uint64_t>(level3) & ~0xfffull;
    CHECK(guest.at<std::uint64_t>(level2 + 8) == (0x200000 | 0x83));
    CHECK(guest.at<std::uint64_t>(entry.gdt_base + boot_code_selector) == 0x00AF9B000000FFFF);
}

TEST_CASE("a guest that restarts through the BIOS finds code that writes the reset register", "[boot]") {
    Guest guest;
    REQUIRE(guest.load().ok());
    const std::uint8_t code[] = {0xBA, 0x00, 0x06, 0xEE, 0xF4}; // mov $0x600,%dx; out %al,(%dx); hlt
    CHECK(std::memcmp(&guest.bytes[0xFFFF0], code, sizeof code) == 0);
}

TEST_CASE("a damaged kernel header is refused and nothing is written", "[boot]") {
    Guest guest;
    SECTION("magic") { guest.kernel[0x202] ^= 1; }
    SECTION("boot flag") { guest.kernel[0x1FF] ^= 1; }
    SECTION("old version") { put<std::uint16_t>(guest.kernel, 0x206, 0x20B); }
    SECTION("header longer than the setup sectors") {
        guest.kernel[0x201] = 0xff;
        put<std::uint8_t>(guest.kernel, 0x1F1, 0);
        guest.kernel.resize(1500);
    }
    SECTION("header too short") { guest.kernel[0x201] = 0x20; }
    SECTION("all setup, no payload") { guest.kernel[0x1F1] = 200; }
    CHECK(guest.load().error() == BootError::not_a_kernel);
    CHECK(std::count(guest.bytes.begin(), guest.bytes.end(), 0) == static_cast<long>(memory_size));
}

TEST_CASE("a kernel without a 64-bit entry is refused", "[boot]") {
    Guest guest;
    put<std::uint16_t>(guest.kernel, 0x236, 0);
    CHECK(guest.load().error() == BootError::no_64_bit_entry);
}

TEST_CASE("a kernel that does not fit is refused", "[boot]") {
    Guest guest;
    SECTION("in low memory") { put<std::uint64_t>(guest.kernel, 0x258, 0x10000); }
    SECTION("beyond memory") { put<std::uint64_t>(guest.kernel, 0x258, memory_size); }
    SECTION("address that overflows") { put<std::uint64_t>(guest.kernel, 0x258, ~0ull - 0x1000); }
    SECTION("init_size") { put<std::uint32_t>(guest.kernel, 0x260, 0xffffffff); }
    CHECK(guest.load().error() == BootError::kernel_too_large);
}

TEST_CASE("an initrd must fit between kernel and ACPI tables and below its limit", "[boot]") {
    Guest guest;
    guest.initrd.resize(memory_size - devices::acpi_area_size - load_at - 0x10000);
    CHECK(guest.load().ok());
    Guest larger;
    larger.initrd.resize(guest.initrd.size() + 1);
    CHECK(larger.load().error() == BootError::initrd_too_large);
    Guest limited;
    put<std::uint32_t>(limited.kernel, 0x22C, load_at + 0x10000 + 9998);
    CHECK(limited.load().error() == BootError::initrd_too_large);
}

TEST_CASE("a command line longer than the kernel takes is refused", "[boot]") {
    Guest guest;
    CHECK(guest.load(std::string(255, 'a')).ok());
    Guest other;
    CHECK(other.load(std::string(256, 'a')).error() == BootError::command_line_too_long);
}

TEST_CASE("every truncation of a kernel is refused or loads what is there", "[boot]") {
    const std::vector<std::uint8_t> whole = make_kernel();
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        Guest guest;
        guest.kernel.resize(size);
        CHECK(guest.load().ok() == (size > 1024));
    }
}

TEST_CASE("MOV and MOVZX to and from memory are decoded", "[decoder]") {
    const auto load = decode({0x8B, 0x43, 0x10}); // mov eax, [rbx+0x10]
    REQUIRE(load);
    CHECK(load->length == 3);
    CHECK((load->width == 4 && !load->write && load->reg == 0 && load->register_width == 4));
    const auto store = decode({0x44, 0x89, 0x2C, 0x25, 0, 0, 0, 0}); // mov [disp32], r13d
    REQUIRE(store);
    CHECK((store->length == 8 && store->write && store->reg == 13 && store->width == 4));
    const auto immediate =
        decode({0xC7, 0x05, 1, 2, 3, 4, 0x78, 0x56, 0x34, 0x92}); // mov dword [rip+..], imm
    REQUIRE(immediate);
    CHECK((immediate->length == 10 && immediate->write && *immediate->immediate == 0xffffffff92345678));
    const auto word = decode({0x66, 0xC7, 0x00, 0x34, 0x12});
    REQUIRE(word);
    CHECK((word->length == 5 && word->width == 2 && *word->immediate == 0x1234));
    const auto quad = decode({0x48, 0x8B, 0x00});
    REQUIRE(quad);
    CHECK(quad->width == 8);
    const auto zero_extend = decode({0x0F, 0xB6, 0x84, 0x88, 1, 2, 3, 4}); // movzx eax, byte [rax+rcx*4+..]
    REQUIRE(zero_extend);
    CHECK((zero_extend->length == 8 && zero_extend->width == 1 && zero_extend->register_width == 4));
}

TEST_CASE("a byte register is the high half without REX and the low byte with it", "[decoder]") {
    const auto high = decode({0x88, 0x20}); // mov [rax], ah
    REQUIRE(high);
    CHECK((high->high_byte && high->reg == 0 && high->width == 1));
    const auto low = decode({0x40, 0x88, 0x20}); // mov [rax], spl
    REQUIRE(low);
    CHECK((!low->high_byte && low->reg == 4));
}

TEST_CASE("other instructions and register operands are not decoded", "[decoder]") {
    CHECK_FALSE(decode({0x8B, 0xC3}));             // register to register
    CHECK_FALSE(decode({0xF0, 0x83, 0x00, 0x01})); // lock add
    CHECK_FALSE(decode({0xC7, 0x08, 0, 0, 0, 0})); // group 11, not /0
    CHECK_FALSE(decode({0xA4}));                   // movsb
    CHECK_FALSE(decode({0x0F, 0x10, 0x00}));       // movups
    CHECK_FALSE(decode({}));
}

TEST_CASE("every truncation of an instruction is refused", "[decoder]") {
    const std::vector<std::uint8_t> code = {0x66, 0x44, 0xC7, 0x84, 0x88, 1, 2, 3, 4, 5, 6};
    REQUIRE(decode_memory_access(code));
    for (std::size_t size = 0; size < code.size(); ++size)
        CHECK_FALSE(decode_memory_access(ByteView{code}.first(size)));
}

TEST_CASE("a VM that floods the console is cut off, and goes on at the rate it is allowed", "[console]") {
    LineBudget budget;
    std::uint64_t printed = 0;
    for (unsigned i = 0; i < 10'000; ++i) printed += budget.spend(0) ? 1 : 0;
    CHECK(printed == LineBudget::burst);
    CHECK(budget.take_dropped() == 10'000 - LineBudget::burst);
    CHECK(budget.take_dropped() == 0);
    for (std::uint64_t ms = 0; ms < 10'000; ++ms) printed += budget.spend(ms) ? 1 : 0; // 1,000 lines a second
    const std::uint64_t allowed = 10 * LineBudget::per_second;
    CHECK(printed - LineBudget::burst <= allowed);
    CHECK(printed - LineBudget::burst >= allowed - 5);
}
