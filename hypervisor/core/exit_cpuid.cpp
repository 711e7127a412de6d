// SPDX-License-Identifier: Apache-2.0
// CPUID: the host's answer under an allow-list of features, and the signature of the KVM paravirtual interface, by
// which Linux takes x2APIC and the paravirtual clock [Linux, Documentation/virt/kvm/x86/cpuid.rst].
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/core/exits.hpp"
#include "hypervisor/core/vcpu.hpp"

namespace casemate::core {
namespace {

using Answer = arch::CpuidResult;

constexpr std::uint32_t last_basic = 0xD, first_hypervisor = 0x40000000, first_extended = 0x80000000,
                        last_extended = 0x80000008;
constexpr std::uint32_t bit(unsigned number) { return 1u << number; }

template <typename... Numbers>
constexpr std::uint32_t bits(Numbers... numbers) {
    return (bit(static_cast<unsigned>(numbers)) | ...);
}

/// Which bits of the host's answer pass, and which are set in any case. Leaves that are not here read zero.
struct LeafRule {
    std::uint32_t leaf, subleaf;
    Answer pass;
    Answer set;
};
constexpr std::uint32_t all = ~0u, any_subleaf = ~0u;

// SSE3 PCLMULQDQ SSSE3 FMA CMPXCHG16B SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND
constexpr std::uint32_t leaf_1_ecx = bits(0, 1, 9, 12, 13, 19, 20, 22, 23, 25, 26, 28, 29, 30);
constexpr unsigned tsc_deadline = 24, kvm_pv_eoi = 6; // not of a direct VM
constexpr std::uint32_t x2apic_deadline_hypervisor = bits(21, tsc_deadline, 31);
// FPU DE PSE TSC MSR PAE CX8 APIC SEP MTRR PGE CMOV PAT PSE36 CLFLUSH MMX FXSR SSE SSE2
constexpr std::uint32_t leaf_1_edx = bits(0, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 15, 16, 17, 19, 23, 24, 25, 26);
// FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS ADX SMAP CLFLUSHOPT SHA
constexpr std::uint32_t leaf_7_ebx = bits(0, 3, 5, 7, 8, 9, 19, 20, 23, 29);
constexpr std::uint32_t leaf_7_ecx = bits(2, 22); // UMIP RDPID
// LAHF CR8 ABM SSE4A MISALIGNSSE PREFETCHW
constexpr std::uint32_t leaf_81_ecx = bits(0, 4, 5, 6, 7, 8);
// as leaf 1, SYSCALL NX MMXEXT PDPE1GB RDTSCP LM
constexpr std::uint32_t leaf_81_edx =
    bits(0, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 15, 16, 17, 20, 22, 23, 24, 26, 27, 29);
// CLOCKSOURCE2 NOP_IO_DELAY PV_EOI CLOCKSOURCE_STABLE
constexpr std::uint32_t kvm_features = bits(1, 3, kvm_pv_eoi, 24);

constexpr LeafRule rules[] = {
    {0x1, any_subleaf, {all, 0xffff, leaf_1_ecx, leaf_1_edx}, {0, 1 << 16, x2apic_deadline_hypervisor, 0}},
    {0x6, any_subleaf, {}, {bit(2), 0, 0, 0}}, // the APIC timer always runs
    {0x7, 0, {0, leaf_7_ebx, leaf_7_ecx, 0}, {}},
    {0xD, 0, {7, all, all, 0}, {}},
    {0xD, 1, {bit(0), 0, 0, 0}, {}}, // XSAVEOPT
    {0xD, 2, {all, all, all, all}, {}},
    {0x80000001, any_subleaf, {all, 0, leaf_81_ecx, leaf_81_edx}, {}},
    {0x80000002, any_subleaf, {all, all, all, all}, {}}, // name
    {0x80000003, any_subleaf, {all, all, all, all}, {}},
    {0x80000004, any_subleaf, {all, all, all, all}, {}},
    {0x80000005, any_subleaf, {all, all, all, all}, {}}, // caches and TLBs
    {0x80000006, any_subleaf, {all, all, all, all}, {}},
    {0x80000007, any_subleaf, {}, {0, 0, 0, bit(8)}}, // invariant TSC
    {0x80000008, any_subleaf, {0xffff, 0, 0, 0}, {}}, // address widths
};

Answer apply(const LeafRule& rule, std::uint32_t subleaf) {
    const Answer host = arch::cpuid(rule.leaf, subleaf);
    return {(host.eax & rule.pass.eax) | rule.set.eax, (host.ebx & rule.pass.ebx) | rule.set.ebx,
            (host.ecx & rule.pass.ecx) | rule.set.ecx, (host.edx & rule.pass.edx) | rule.set.edx};
}

Answer vendor(std::uint32_t leaf, std::uint32_t last) {
    const Answer host = arch::cpuid(leaf);
    return {last, host.ebx, host.ecx, host.edx};
}

Answer answer(std::uint32_t leaf, std::uint32_t subleaf) {
    switch (leaf) {
    case 0: return vendor(0, last_basic);
    case first_extended: return vendor(first_extended, last_extended);
    case first_hypervisor: return {first_hypervisor + 1, 0x4b4d564b, 0x564b4d56, 0x4d}; // "KVMKVMKVM"
    case first_hypervisor + 1: return {kvm_features, 0, 0, 0};
    default: break;
    }
    for (const LeafRule& rule : rules)
        if (rule.leaf == leaf && (rule.subleaf == any_subleaf || rule.subleaf == subleaf))
            return apply(rule, subleaf);
    return {};
}

} // namespace

void handle_cpuid(Vcpu& vcpu) {
    constexpr std::uint64_t cr4_osxsave = 1 << 18;
    constexpr std::uint32_t cpuid_osxsave = 1 << 27;
    const auto leaf = static_cast<std::uint32_t>(vcpu.reg(0));
    Answer result = answer(leaf, static_cast<std::uint32_t>(vcpu.reg(1)));
    if (leaf == 1 && (vcpu.vmcb().cr4 & cr4_osxsave) != 0) result.ecx |= cpuid_osxsave;
    if (vcpu.direct() && leaf == 1) result.ecx &= ~bit(tsc_deadline);
    if (vcpu.direct() && leaf == first_hypervisor + 1) result.eax &= ~bit(kvm_pv_eoi);
    vcpu.reg(0) = result.eax;
    vcpu.reg(3) = result.ebx;
    vcpu.reg(1) = result.ecx;
    vcpu.reg(2) = result.edx;
    vcpu.skip_instruction(2);
}

} // namespace casemate::core
