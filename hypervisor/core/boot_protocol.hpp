// SPDX-License-Identifier: Apache-2.0
// Puts a Linux kernel and its initial RAM file system into a VM's memory by the 64-bit boot protocol
// [Linux, Documentation/x86/boot.rst], with the memory map and ACPI tables of the virtual platform.
//   0x7000 boot_params   0x8000 GDT   0x9000 page tables (6)   0x20000 command line   pref_address kernel
//   .. initrd, at the top   last 64 KiB ACPI tables   0xFFFF0 reset vector
// UNTRUSTED: both images. Every header field is checked against file and memory before anything is written.
// The memory must be zero before. Any file with such a header will do: tests boot tiny guests this way.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/devices/acpi.hpp"
#include "hypervisor/mm/guest_memory.hpp"

#include <string_view>

namespace casemate::core {

enum class BootError : std::uint8_t {
    none = 0,
    not_a_kernel,     // magic, version, truncated
    no_64_bit_entry,  // XLF_KERNEL_64 is clear
    kernel_too_large, // does not fit below the initrd
    initrd_too_large, // or above what the kernel can reach
    command_line_too_long,
    memory_too_small, // for the fixed areas
};

struct BootImages {
    ByteView kernel;
    ByteView initrd;
    std::string_view command_line;
};

/// Register values at the kernel's 64-bit entry; everything else is fixed by the protocol (core/vcpu_reset.cpp).
struct BootEntry {
    std::uint64_t rip = 0;
    std::uint64_t rsi = 0; // boot_params
    std::uint64_t cr3 = 0;
    std::uint64_t gdt_base = 0;
};
inline constexpr std::uint16_t boot_code_selector = 0x10, boot_data_selector = 0x18,
                               boot_gdt_limit = 4 * 8 - 1;

[[nodiscard]] Result<BootEntry, BootError> load_linux(const mm::GuestMemory& memory, const BootImages& images,
                                                      const devices::AcpiOptions& acpi);

} // namespace casemate::core
