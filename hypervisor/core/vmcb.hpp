// SPDX-License-Identifier: Apache-2.0
// The virtual machine control block [APM2 Appendix B]. Plain words at the offsets that the manual numbers.
// Invariant: the guest never sees or reaches it (TCB memory). Written by core/vcpu.cpp and the exit handlers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace casemate::core {

struct VmcbSegment {
    std::uint16_t selector;
    std::uint16_t attributes;
    std::uint32_t limit;
    std::uint64_t base;
};
static_assert(sizeof(VmcbSegment) == 16);

struct Vmcb {
    // control area
    std::uint32_t intercept_cr;
    std::uint32_t intercept_dr;
    std::uint32_t intercept_exceptions;
    std::uint32_t intercept_1; // see Intercept1
    std::uint32_t intercept_2; // see Intercept2
    std::uint8_t reserved_014[0x40 - 0x14];
    std::uint64_t iopm_base_pa;
    std::uint64_t msrpm_base_pa;
    std::uint64_t tsc_offset;
    std::uint32_t guest_asid;
    std::uint32_t tlb_control;
    std::uint64_t virtual_interrupt; // V_TPR, V_IRQ, V_INTR_PRIO, V_IGN_TPR, V_INTR_MASKING, V_INTR_VECTOR
    std::uint64_t interrupt_shadow;
    std::uint64_t exitcode;
    std::uint64_t exitinfo1;
    std::uint64_t exitinfo2;
    std::uint64_t exitintinfo;
    std::uint64_t np_enable;
    std::uint8_t reserved_098[0xA8 - 0x98];
    std::uint64_t eventinj;
    std::uint64_t n_cr3;
    std::uint8_t reserved_0b8[0x400 - 0xB8];
    // state save area
    VmcbSegment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    std::uint8_t reserved_4a0[0x4CB - 0x4A0];
    std::uint8_t cpl;
    std::uint32_t reserved_4cc;
    std::uint64_t efer;
    std::uint8_t reserved_4d8[0x548 - 0x4D8];
    std::uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    std::uint8_t reserved_580[0x5D8 - 0x580];
    std::uint64_t rsp;
    std::uint8_t reserved_5e0[0x5F8 - 0x5E0];
    std::uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip,
        cr2;
    std::uint8_t reserved_648[0x668 - 0x648];
    std::uint64_t g_pat;
    std::uint8_t reserved_670[0x1000 - 0x670];
};
static_assert(offsetof(Vmcb, iopm_base_pa) == 0x40);
static_assert(offsetof(Vmcb, guest_asid) == 0x58);
static_assert(offsetof(Vmcb, virtual_interrupt) == 0x60);
static_assert(offsetof(Vmcb, exitcode) == 0x70);
static_assert(offsetof(Vmcb, np_enable) == 0x90);
static_assert(offsetof(Vmcb, eventinj) == 0xA8);
static_assert(offsetof(Vmcb, n_cr3) == 0xB0);
static_assert(offsetof(Vmcb, es) == 0x400);
static_assert(offsetof(Vmcb, cpl) == 0x4CB);
static_assert(offsetof(Vmcb, efer) == 0x4D0);
static_assert(offsetof(Vmcb, cr4) == 0x548);
static_assert(offsetof(Vmcb, rip) == 0x578);
static_assert(offsetof(Vmcb, rsp) == 0x5D8);
static_assert(offsetof(Vmcb, rax) == 0x5F8);
static_assert(offsetof(Vmcb, cr2) == 0x640);
static_assert(offsetof(Vmcb, g_pat) == 0x668);
static_assert(sizeof(Vmcb) == 4096);

/// Intercept words [APM2 Table B-1].
namespace intercept_1 {
inline constexpr std::uint32_t intr = 1u << 0, nmi = 1u << 1, smi = 1u << 2, init = 1u << 3, rdpmc = 1u << 15,
                               cpuid = 1u << 18, invd = 1u << 22, hlt = 1u << 24, invlpga = 1u << 26,
                               ioio_prot = 1u << 27, msr_prot = 1u << 28, task_switch = 1u << 29,
                               ferr_freeze = 1u << 30, shutdown = 1u << 31;
}
namespace intercept_2 {
inline constexpr std::uint32_t vmrun = 1u << 0, vmmcall = 1u << 1, vmload = 1u << 2, vmsave = 1u << 3,
                               stgi = 1u << 4, clgi = 1u << 5, skinit = 1u << 6, icebp = 1u << 8,
                               wbinvd = 1u << 9, monitor = 1u << 10, mwait = 1u << 11, mwait_armed = 1u << 12,
                               xsetbv = 1u << 13, rdpru = 1u << 14;
}

/// Exit codes, lower half [APM2 Appendix C].
namespace exit_code {
inline constexpr std::uint32_t exception_db = 0x41, exception_ac = 0x51, exception_mc = 0x52, intr = 0x60,
                               nmi = 0x61, smi = 0x62, init = 0x63, rdpmc = 0x6f, cpuid = 0x72, invd = 0x76,
                               hlt = 0x78, invlpga = 0x7a, ioio = 0x7b, msr = 0x7c, task_switch = 0x7d,
                               ferr_freeze = 0x7e, shutdown = 0x7f, vmrun = 0x80, vmmcall = 0x81,
                               vmload = 0x82, vmsave = 0x83, stgi = 0x84, clgi = 0x85, skinit = 0x86,
                               icebp = 0x88, wbinvd = 0x89, monitor = 0x8a, mwait = 0x8b, mwait_armed = 0x8c,
                               xsetbv = 0x8d, rdpru = 0x8e, npf = 0x400, invalid = ~0u;
}

/// `virtual_interrupt` [APM2 15.21.1, 15.21.2].
namespace virtual_interrupt {
inline constexpr std::uint64_t tpr_mask = 0xf, irq = 1ull << 8, masking = 1ull << 24;
constexpr std::uint64_t priority(std::uint8_t vector) { return std::uint64_t{vector} >> 4 << 16; }
constexpr std::uint64_t vector(std::uint8_t number) { return std::uint64_t{number} << 32; }
} // namespace virtual_interrupt

/// EVENTINJ and EXITINTINFO [APM2 15.20].
namespace event {
inline constexpr std::uint64_t valid = 1ull << 31, error_valid = 1ull << 11, type_mask = 7ull << 8,
                               type_exception = 3ull << 8, type_software = 4ull << 8;
}

} // namespace casemate::core
