// SPDX-License-Identifier: Apache-2.0
// Which model-specific registers a guest may touch. Four lists; everything else is #GP.
//   guest_owned_msrs   switched by VMLOAD/VMSAVE or at a change of VM: no exit
//   direct_msrs        of the core's own APIC, a direct VM's (docs/adr/0018): no exit; the processor refuses what is read-only
//   constant_msrs      read as a constant, writes are ignored: Linux touches them without asking CPUID
//   devices            local APIC, clock: registered on the VM's IoBus
// TSC, PAT and EFER are handled in exit_msr.cpp. Used by core/machine.cpp and core/exit_msr.cpp.
#pragma once

#include <array>
#include <cstdint>

namespace casemate::core {

inline constexpr std::array<std::uint32_t, 11> guest_owned_msrs = {
    0xC0000081, // STAR
    0xC0000082, // LSTAR
    0xC0000083, // CSTAR
    0xC0000084, // SFMASK
    0xC0000100, // FS.base
    0xC0000101, // GS.base
    0xC0000102, // KernelGSbase
    0xC0000103, // TSC_AUX
    0x174,      // SYSENTER_CS
    0x175,      // SYSENTER_ESP
    0x176,      // SYSENTER_EIP
};

struct MsrRange {
    std::uint32_t first, count;
};
inline constexpr std::array<MsrRange, 5> direct_msrs = {{
    {0x808, 1},  // task priority
    {0x80A, 2},  // processor priority, end of interrupt
    {0x810, 24}, // in service, trigger mode, requested
    {0x838, 2},  // initial count, current count
    {0x83E, 1},  // divider
}};

struct ConstantMsr {
    std::uint32_t index;
    std::uint64_t value;
};
inline constexpr std::array<ConstantMsr, 10> constant_msrs = {{
    {0x0FE, 0},           // MTRRcap: no variable and no fixed ranges
    {0x2FF, 0xC06},       // MTRRdefType: enabled, write-back; without it Linux turns PAT off
    {0x08B, 0},           // PATCH_LEVEL
    {0x179, 0},           // MCG_CAP: no banks
    {0x17A, 0},           // MCG_STAT
    {0x1D9, 0},           // DEBUG_CTL
    {0xC0010010, 0},      // SYSCFG: no memory encryption
    {0xC0010015, 0},      // HWCR
    {0xC001001F, 0},      // NB_CFG
    {0xC0011029, 1 << 1}, // DE_CFG: LFENCE serialises
}};

} // namespace casemate::core
