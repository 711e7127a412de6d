// SPDX-License-Identifier: Apache-2.0
// RDMSR and WRMSR of registers that the guest does not own; the lists are in msr_policy.hpp.
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/core/exits.hpp"
#include "hypervisor/core/msr_policy.hpp"
#include "hypervisor/core/vm.hpp"

namespace casemate::core {
namespace {

constexpr std::uint32_t msr_tsc = 0x10, msr_pat = 0x277, msr_efer = 0xC0000080;
constexpr std::uint64_t efer_sce = 1 << 0, efer_lme = 1 << 8, efer_lma = 1 << 10, efer_nxe = 1 << 11,
                        efer_svme = 1 << 12;
constexpr std::uint64_t cr0_pg = 1ull << 31;

const ConstantMsr* find_constant(std::uint32_t index) {
    for (const ConstantMsr& entry : constant_msrs)
        if (entry.index == index) return &entry;
    return nullptr;
}

std::optional<std::uint64_t> read(Vcpu& vcpu, std::uint32_t index) {
    switch (index) {
    case msr_tsc: return arch::read_tsc();
    case msr_pat: return vcpu.vmcb().g_pat;
    case msr_efer: return vcpu.vmcb().efer & ~efer_svme;
    default: break;
    }
    if (const ConstantMsr* const entry = find_constant(index)) return entry->value;
    const auto* const range = vcpu.vm().bus().msrs.find(index);
    return range != nullptr ? range->device->read_msr(index) : std::nullopt;
}

/// SVME stays set for VMRUN and hidden from the guest; LMA belongs to the processor.
bool write_efer(Vmcb& vmcb, std::uint64_t value) {
    if ((value & ~(efer_sce | efer_lme | efer_lma | efer_nxe)) != 0) return false;
    if (((value ^ vmcb.efer) & efer_lme) != 0 && (vmcb.cr0 & cr0_pg) != 0) return false;
    vmcb.efer = (value & ~efer_lma) | (vmcb.efer & efer_lma) | efer_svme;
    return true;
}

/// Eight memory types, each 0, 1, 4, 5, 6 or 7 [APM2 7.8.1].
bool write_pat(Vmcb& vmcb, std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const std::uint64_t type = value >> shift & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    vmcb.g_pat = value;
    return true;
}

bool write(Vcpu& vcpu, std::uint32_t index, std::uint64_t value) {
    if (index == msr_efer) return write_efer(vcpu.vmcb(), value);
    if (index == msr_pat) return write_pat(vcpu.vmcb(), value);
    if (index == msr_tsc || find_constant(index) != nullptr) return true;
    const auto* const range = vcpu.vm().bus().msrs.find(index);
    if (range == nullptr || !range->device->write_msr(index, value)) return false;
    if (vcpu.direct() && index == devices::LocalApic::msr_timer_entry)
        arch::write_apic_timer_entry(static_cast<std::uint32_t>(value) & arch::timer_entry_mask);
    return true;
}

} // namespace

void handle_msr(Vcpu& vcpu) {
    constexpr std::uint8_t vector_gp = 13;
    const auto index = static_cast<std::uint32_t>(vcpu.reg(1));
    if (vcpu.vmcb().exitinfo1 != 0) {
        const std::uint64_t value = vcpu.reg(2) << 32 | (vcpu.reg(0) & 0xffffffff);
        if (!write(vcpu, index, value)) return vcpu.inject_exception(vector_gp, 0);
    } else {
        const auto value = read(vcpu, index);
        if (!value) return vcpu.inject_exception(vector_gp, 0);
        vcpu.reg(0) = *value & 0xffffffff;
        vcpu.reg(2) = *value >> 32;
    }
    vcpu.skip_instruction(2);
}

} // namespace casemate::core
