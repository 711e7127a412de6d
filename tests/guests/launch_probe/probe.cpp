// SPDX-License-Identifier: Apache-2.0
// Stands in for the hypervisor: what the SLB enters, reporting what it was handed. Prints the event log
// (`@cm event=probe_log hex=...`) and a line `@cm event=probe key=value ...` on COM1, then halts.
#include "dlaunch/measure/launch_layout.hpp"
#include "dlaunch/slb/console.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/hw/amdvi_device_table.hpp"

namespace casemate {

void contract_violated(const char*, const char*, int) { arch::halt_forever(); }

namespace {

const int constant = 1;
int variable = 2;
int zeroed;

/// The entry of the running page tables that maps `address`.
std::uint64_t mapping_of(const volatile void* address) {
    const auto virtual_address = reinterpret_cast<std::uint64_t>(address);
    std::uint64_t entry = arch::read_cr3();
    for (unsigned shift = 39; shift >= 12; shift -= 9) {
        const auto* const table = reinterpret_cast<const std::uint64_t*>(entry & 0x000ffffffffff000);
        entry = table[virtual_address >> shift & 511];
        if (!(entry & 1) || (entry & 0x80 && shift > 12)) break;
    }
    return entry;
}

/// "rwx" as bits 4, 2, 1.
unsigned rights(const volatile void* address) {
    const std::uint64_t entry = mapping_of(address);
    return (entry & 1 ? 4 : 0) | (entry & 2 ? 2 : 0) | (entry >> 63 ? 0 : 1);
}

bool all_denied(const launch::BootInfo& info) {
    const auto* const table = reinterpret_cast<const hw::DeviceTableEntry*>(info.device_table.base);
    for (std::size_t i = 0; i < hw::device_table_entries; ++i)
        if (table[i] != hw::deny_entry()) return false;
    return true;
}

} // namespace

/// Bytes between LaunchParams and the deepest that the SLB's stack went: the launcher had cleared them.
std::uint64_t stack_left(const launch::BootInfo& info) {
    const auto* const header = reinterpret_cast<const launch::SlbHeader*>(info.slb.base);
    const std::uint64_t start = info.slb.base + header->params_offset + sizeof(launch::LaunchParams);
    std::uint64_t at = start;
    while (at < info.slb.base + info.slb.size && *reinterpret_cast<const std::uint8_t*>(at) == 0) ++at;
    return at - start;
}

void print_log(const launch::BootInfo& info) {
    hw::Serial<hw::PortBus> line{{}, hw::com1_port};
    line.write("@cm event=probe_log hex=");
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(info.log.base);
    for (std::size_t i = 0; i < info.log_used; ++i) {
        const char digits[] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15]};
        line.write({digits, sizeof digits});
    }
    line.write("\n");
}

extern "C" [[noreturn]] void probe_main(const launch::BootInfo* info) {
    print_log(*info);
    slb::EventLine{"probe"}
        .number("good", info->magic == launch::boot_magic && info->size == sizeof *info)
        .number("kind", static_cast<std::uint32_t>(info->kind))
        .number("banks", info->tpm_bank_count)
        .number("images", info->image_count)
        .number("ranges", info->memory_range_count)
        .number("log_used", info->log_used)
        .number("policy_size", info->policy.size)
        .number("all_denied", all_denied(*info))
        .number("code", rights(reinterpret_cast<const void*>(&probe_main)))
        .number("constant", rights(&constant))
        .number("variable", rights(&variable))
        .number("boot_info", rights(info))
        .number("data_good", constant == 1 && variable == 2 && zeroed == 0)
        .number("stack_left", stack_left(*info))
        .number("tsc_since_launch", arch::read_tsc() - info->launch_tsc);
    arch::halt_forever();
}

} // namespace casemate
