// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/boot_protocol.hpp"

#include <algorithm>

namespace casemate::core {
namespace {

// Where things go in guest memory.
constexpr GuestPhys boot_params_at{0x7000}, gdt_at{0x8000}, tables_at{0x9000}, command_line_at{0x20000};
constexpr GuestPhys reset_vector_at{0xFFFF0}; // F000:FFF0
constexpr std::uint64_t low_ram_end = 0x9F000, high_ram_start = 0x100000;
constexpr unsigned mapped_gigabytes = 4;

// Offsets in the file and in boot_params [boot.rst, "Details of Header Fields"; zero-page.rst].
constexpr std::size_t off_setup_sects = 0x1F1, off_boot_flag = 0x1FE, off_jump_length = 0x201,
                      off_header = 0x202, off_version = 0x206, off_type_of_loader = 0x210,
                      off_ramdisk_image = 0x218, off_ramdisk_size = 0x21C, off_cmd_line_ptr = 0x228,
                      off_initrd_addr_max = 0x22C, off_xloadflags = 0x236, off_cmdline_size = 0x238,
                      off_pref_address = 0x258, off_init_size = 0x260, header_end = 0x264;
constexpr std::size_t param_acpi_rsdp = 0x70, param_e820_entries = 0x1E8, param_e820_table = 0x2D0;
constexpr std::uint32_t header_magic = 0x53726448; // "HdrS"
constexpr std::uint16_t boot_flag = 0xAA55, oldest_version = 0x20C, xlf_kernel_64 = 1;
constexpr std::uint64_t entry_64_offset = 0x200;
constexpr std::uint8_t unknown_loader = 0xFF;

enum class E820 : std::uint32_t { ram = 1, reserved = 2, acpi = 3 };

template <typename T>
T field(ByteView file, std::size_t offset) {
    T value;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

/// What the setup header says, checked.
struct KernelHeader {
    ByteView setup_header; // from 1F1h
    ByteView payload;      // the protected-mode kernel
    std::uint64_t load_at = 0;
    std::uint64_t memory_size = 0; // init_size: from load_at, decompression included
    std::uint64_t initrd_limit = 0;
    std::uint32_t command_line_limit = 0;
};

Result<KernelHeader, BootError> parse_header(ByteView file) {
    if (file.size() < header_end || field<std::uint16_t>(file, off_boot_flag) != boot_flag ||
        field<std::uint32_t>(file, off_header) != header_magic ||
        field<std::uint16_t>(file, off_version) < oldest_version)
        return Failure{BootError::not_a_kernel};
    if ((field<std::uint16_t>(file, off_xloadflags) & xlf_kernel_64) == 0)
        return Failure{BootError::no_64_bit_entry};
    const std::uint8_t sectors = file[off_setup_sects] == 0 ? 4 : file[off_setup_sects];
    const std::size_t payload_at = (std::size_t{sectors} + 1) * 512;
    const std::size_t setup_end = off_header + file[off_jump_length];
    if (payload_at >= file.size() || setup_end < header_end || setup_end > payload_at)
        return Failure{BootError::not_a_kernel};
    KernelHeader header;
    header.setup_header = file.subspan(off_setup_sects, setup_end - off_setup_sects);
    header.payload = file.subspan(payload_at);
    header.load_at = field<std::uint64_t>(file, off_pref_address);
    header.memory_size = std::max<std::uint64_t>(field<std::uint32_t>(file, off_init_size), header.payload.size());
    header.initrd_limit = std::uint64_t{field<std::uint32_t>(file, off_initrd_addr_max)} + 1;
    header.command_line_limit = field<std::uint32_t>(file, off_cmdline_size);
    return header;
}

/// Where the initrd and the ACPI tables go.
struct Placement {
    std::uint64_t acpi = 0;
    std::uint64_t initrd = 0;
};

Result<Placement, BootError> place(const mm::GuestMemory& memory, const KernelHeader& kernel, std::uint64_t initrd_size) {
    if (memory.size() < high_ram_start + devices::acpi_area_size) return Failure{BootError::memory_too_small};
    Placement placement;
    placement.acpi = memory.size() - devices::acpi_area_size;
    const std::uint64_t initrd_end = std::min(placement.acpi, kernel.initrd_limit);
    if (kernel.load_at < high_ram_start || kernel.load_at >= initrd_end ||
        kernel.memory_size > initrd_end - kernel.load_at)
        return Failure{BootError::kernel_too_large};
    if (initrd_size > initrd_end - (kernel.load_at + kernel.memory_size))
        return Failure{BootError::initrd_too_large};
    placement.initrd = (initrd_end - initrd_size) & ~(page_size - 1);
    if (placement.initrd < kernel.load_at + kernel.memory_size) return Failure{BootError::initrd_too_large};
    return placement;
}

void copy(const mm::GuestMemory& memory, GuestPhys to, ByteView from) {
    std::copy(from.begin(), from.end(), memory.bytes(to, from.size()).begin());
}

/// Flat 64-bit code (10h) and data (18h), and all of the first gigabytes at their own addresses.
void write_cpu_tables(const mm::GuestMemory& memory) {
    constexpr std::uint64_t gdt[] = {0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF};
    constexpr std::uint64_t link = 3, large_leaf = 0x83;
    (void)memory.write(gdt_at, gdt);
    (void)memory.write(tables_at, (tables_at + page_size).value | link);
    for (std::uint64_t i = 0; i < mapped_gigabytes; ++i)
        (void)memory.write(tables_at + page_size + 8 * i, (tables_at + (2 + i) * page_size).value | link);
    for (std::uint64_t i = 0; i < mapped_gigabytes * 512; ++i)
        (void)memory.write(tables_at + 2 * page_size + 8 * i, i * large_page_size | large_leaf);
}

/// Linux on hardware-reduced ACPI without UEFI passes over the reset register and restarts through the BIOS, in real
/// mode. There it finds 16-bit code that writes the register.
void write_reset_vector(const mm::GuestMemory& memory) {
    // mov $port,%dx; out %al,(%dx); hlt
    constexpr std::uint8_t code[] = {0xBA, devices::acpi_reset_port & 0xFF, devices::acpi_reset_port >> 8, 0xEE, 0xF4};
    (void)memory.write(reset_vector_at, code);
}

struct [[gnu::packed]] E820Entry {
    std::uint64_t base, size;
    E820 kind;
};
static_assert(sizeof(E820Entry) == 20);

void write_memory_map(const mm::GuestMemory& memory, std::uint64_t acpi) {
    const E820Entry entries[] = {{0, low_ram_end, E820::ram},
                                 {low_ram_end, high_ram_start - low_ram_end, E820::reserved},
                                 {high_ram_start, acpi - high_ram_start, E820::ram},
                                 {acpi, devices::acpi_area_size, E820::acpi}};
    (void)memory.write(boot_params_at + param_e820_entries, static_cast<std::uint8_t>(std::size(entries)));
    (void)memory.write(boot_params_at + param_e820_table, entries);
}

void write_boot_params(const mm::GuestMemory& memory, const KernelHeader& kernel, const Placement& placement,
                       std::uint64_t initrd_size) {
    copy(memory, boot_params_at + off_setup_sects, kernel.setup_header);
    (void)memory.write(boot_params_at + off_type_of_loader, unknown_loader);
    (void)memory.write(boot_params_at + off_cmd_line_ptr, static_cast<std::uint32_t>(command_line_at.value));
    (void)memory.write(boot_params_at + off_ramdisk_image,
                       static_cast<std::uint32_t>(initrd_size != 0 ? placement.initrd : 0));
    (void)memory.write(boot_params_at + off_ramdisk_size, static_cast<std::uint32_t>(initrd_size));
    write_memory_map(memory, placement.acpi);
}

} // namespace

Result<BootEntry, BootError> load_linux(const mm::GuestMemory& memory, const BootImages& images,
                                        const devices::AcpiOptions& acpi) {
    const KernelHeader kernel = TRY(parse_header(images.kernel));
    const Placement placement = TRY(place(memory, kernel, images.initrd.size()));
    if (images.command_line.size() > kernel.command_line_limit)
        return Failure{BootError::command_line_too_long};
    const auto rsdp = devices::write_acpi_tables(memory, GuestPhys{placement.acpi}, acpi);
    if (!rsdp) return Failure{BootError::memory_too_small};
    write_boot_params(memory, kernel, placement, images.initrd.size());
    (void)memory.write(boot_params_at + param_acpi_rsdp, rsdp->value);
    write_cpu_tables(memory);
    write_reset_vector(memory);
    const auto* const text = reinterpret_cast<const std::uint8_t*>(images.command_line.data());
    copy(memory, command_line_at, {text, images.command_line.size()}); // the zero after it is there
    copy(memory, GuestPhys{kernel.load_at}, kernel.payload);
    copy(memory, GuestPhys{placement.initrd}, images.initrd);
    return BootEntry{kernel.load_at + entry_64_offset, boot_params_at.value, tables_at.value, gdt_at.value};
}

} // namespace casemate::core
