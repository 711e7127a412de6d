// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/exits.hpp"

#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/vm.hpp"

namespace casemate::core {
namespace {

constexpr std::uint8_t vector_db = 1, vector_ud = 6, vector_gp = 13, vector_ac = 17;
constexpr std::uint64_t kvm_error_no_such_call = static_cast<std::uint64_t>(-1000); // KVM_ENOSYS

void refuse_instruction(Vcpu& vcpu) { vcpu.inject_exception(vector_ud); }
void fault(Vcpu& vcpu) { vcpu.inject_exception(vector_gp, 0); }
void nothing(Vcpu&) {}

void handle_hlt(Vcpu& vcpu) {
    vcpu.skip_instruction(1);
    vcpu.halt();
}
void skip_two_bytes(Vcpu& vcpu) { vcpu.skip_instruction(2); }

void handle_hypercall(Vcpu& vcpu) {
    vcpu.reg(0) = kvm_error_no_such_call;
    vcpu.skip_instruction(3);
}

/// XCR0 may hold x87, SSE and AVX as the processor has them; AVX needs SSE [APM2 11.5.2].
void handle_xsetbv(Vcpu& vcpu) {
    const std::uint64_t value = (vcpu.reg(2) << 32) | (vcpu.reg(0) & 0xffffffff);
    const bool known = (value & ~Cpu::all_state_components()) == 0 && (value & 1) != 0;
    const bool ordered = (value & 4) == 0 || (value & 2) != 0;
    const bool first_register = (vcpu.reg(1) & 0xffffffff) == 0;
    if (vcpu.vmcb().cpl != 0 || !first_register || !known || !ordered) return fault(vcpu);
    arch::write_xcr0(value);
    vcpu.skip_instruction(3);
}

void reflect_debug(Vcpu& vcpu) { vcpu.inject_exception(vector_db); }
void reflect_alignment(Vcpu& vcpu) { vcpu.inject_exception(vector_ac, 0); }

void end_shutdown(Vcpu& vcpu) { vcpu.vm().end(StopCause::vm_crashed, StopReason::triple_fault); }
void end_invalid(Vcpu& vcpu) { vcpu.vm().end(StopCause::vm_crashed, StopReason::invalid_state); }
void end_machine_check(Vcpu& vcpu) { vcpu.vm().end(StopCause::vm_crashed, StopReason::machine_check); }
void end_unexpected(Vcpu& vcpu) { vcpu.vm().end(StopCause::vm_crashed, StopReason::unexpected_exit); }

struct ExitRule {
    std::uint32_t code;
    ExitKind kind;
    void (*handle)(Vcpu&);
};

// Most frequent first.
constexpr ExitRule rules[] = {
    {exit_code::intr, ExitKind::interrupt, nothing}, // taken in the next open window
    {exit_code::msr, ExitKind::msr, handle_msr},
    {exit_code::ioio, ExitKind::port, handle_port},
    {exit_code::hlt, ExitKind::hlt, handle_hlt},
    {exit_code::npf, ExitKind::memory, handle_nested_fault},
    {exit_code::cpuid, ExitKind::cpuid, handle_cpuid},
    {exit_code::vmmcall, ExitKind::hypercall, handle_hypercall},
    {exit_code::exception_db, ExitKind::exception, reflect_debug},
    {exit_code::icebp, ExitKind::exception, refuse_instruction},
    {exit_code::exception_ac, ExitKind::exception, reflect_alignment},
    {exit_code::exception_mc, ExitKind::exception, end_machine_check},
    {exit_code::xsetbv, ExitKind::other, handle_xsetbv},
    {exit_code::wbinvd, ExitKind::other, skip_two_bytes}, // caches are coherent for the VM
    {exit_code::invd, ExitKind::other, skip_two_bytes},
    {exit_code::nmi, ExitKind::interrupt, nothing},
    {exit_code::smi, ExitKind::other, nothing},
    {exit_code::init, ExitKind::other, nothing},
    {exit_code::ferr_freeze, ExitKind::other, nothing},
    {exit_code::rdpmc, ExitKind::other, fault},
    {exit_code::shutdown, ExitKind::other, end_shutdown},
    {exit_code::invalid, ExitKind::other, end_invalid},
    {exit_code::vmrun, ExitKind::other, refuse_instruction},
    {exit_code::vmload, ExitKind::other, refuse_instruction},
    {exit_code::vmsave, ExitKind::other, refuse_instruction},
    {exit_code::stgi, ExitKind::other, refuse_instruction},
    {exit_code::clgi, ExitKind::other, refuse_instruction},
    {exit_code::skinit, ExitKind::other, refuse_instruction},
    {exit_code::invlpga, ExitKind::other, refuse_instruction},
    {exit_code::monitor, ExitKind::other, refuse_instruction},
    {exit_code::mwait, ExitKind::other, refuse_instruction},
    {exit_code::mwait_armed, ExitKind::other, refuse_instruction},
    {exit_code::rdpru, ExitKind::other, refuse_instruction},
};

} // namespace

void handle_exit(Vcpu& vcpu) {
    const auto code =
        static_cast<std::uint32_t>(vcpu.vmcb().exitcode); // TCG stores VMEXIT_INVALID without its upper half
    for (const ExitRule& rule : rules) {
        if (rule.code != code) continue;
        vcpu.vm().exits().count(rule.kind);
        return rule.handle(vcpu);
    }
    vcpu.vm().exits().count(ExitKind::other);
    end_unexpected(vcpu);
}

} // namespace casemate::core
