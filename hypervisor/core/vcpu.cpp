// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/vcpu.hpp"

#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/vm.hpp"
#include "hypervisor/mm/guest_walk.hpp"

#include <bit>

namespace casemate::core {
namespace {

constexpr std::uint32_t msr_tsc_aux = 0xC0000103;
constexpr std::uint64_t rflags_if = 1 << 9;
constexpr std::uint8_t opcode_hlt = 0xF4;
constexpr std::uint32_t flush_all = 1;

} // namespace

std::uint64_t& Vcpu::reg(unsigned number) {
    if (number == 0) return vmcb_.rax;
    return number == 4 ? vmcb_.rsp : registers_.r[number & 15];
}

void Vcpu::post_interrupt(std::uint8_t vector) {
    if (vm_.core().has_turn(*this)) return apic_.set_pending(vector);
    if (vm_.core().takes_directly(vm_, vector)) return arch::send_interrupt(vm_.core().apic_id(), vector);
    // ORDER: release, with the acquire in absorb_posted(): what the poster wrote before is seen by the guest.
    posted_[vector / 64].fetch_or(1ull << (vector % 64), std::memory_order_release);
    vm_.core().kick();
}

void Vcpu::absorb_posted() {
    for (unsigned word = 0; word < posted_.size(); ++word) {
        if (posted_[word].load(std::memory_order_relaxed) == 0) continue;
        std::uint64_t bits = posted_[word].exchange(0, std::memory_order_acquire);
        for (; bits != 0; bits &= bits - 1)
            apic_.set_pending(
                static_cast<std::uint8_t>(64 * word + static_cast<unsigned>(std::countr_zero(bits))));
    }
}

void Vcpu::inject_exception(std::uint8_t vector, std::optional<std::uint32_t> error) {
    vmcb_.eventinj = event::valid | event::type_exception | vector;
    if (error) vmcb_.eventinj |= event::error_valid | std::uint64_t{*error} << 32;
}

bool Vcpu::runnable(std::uint64_t tsc) {
    absorb_posted();
    if (!halted_) return true;
    apic_.expire(tsc);
    halted_ = (vmcb_.rflags & rflags_if) == 0 || !apic_.deliverable();
    return !halted_;
}

/// V_IRQ with the most urgent vector. TCG saves the shadow of STI but does not restore it at entry: `sti; hlt` would be
/// interrupted in between and then sleep. So a guest that stands at that HLT is taken to have executed it.
bool Vcpu::offer_interrupt() {
    const auto [vector, another_waits] = apic_.offer();
    if (vector && vmcb_.interrupt_shadow != 0 && at_hlt()) skip_instruction(1);
    std::uint64_t request = virtual_interrupt::masking | apic_.task_priority() >> 4;
    if (vector)
        request |= virtual_interrupt::irq | virtual_interrupt::priority(*vector) |
                   virtual_interrupt::vector(*vector);
    vmcb_.virtual_interrupt = request;
    return another_waits;
}

bool Vcpu::at_hlt() {
    std::uint8_t byte = 0;
    return mm::read_guest_virtual(vm_.memory(), vmcb_.cr3, vmcb_.rip, {&byte, 1}) == 1 && byte == opcode_hlt;
}

void Vcpu::settle_interrupt() {
    const std::uint64_t interrupted = vmcb_.exitintinfo;
    const std::uint64_t type = interrupted & event::type_mask, vector = interrupted & 0xff;
    const bool cut_short = (interrupted & event::valid) != 0 && type != event::type_software;
    // TCG reports an interrupt whose delivery was cut short as an exception. It leaves V_IRQ set: that one stays pending. One from the
    // core's own APIC is in service there: it must be injected.
    const bool is_interrupt = type == event::type_exception && vector >= 32;
    vmcb_.eventinj = !cut_short ? 0 : !is_interrupt ? interrupted : direct() ? event::valid | vector : 0;
    if (!direct()) apic_.set_task_priority(static_cast<std::uint8_t>((vmcb_.virtual_interrupt & virtual_interrupt::tpr_mask) << 4));
}

std::uint64_t Vcpu::prepare(std::uint64_t tsc, std::uint64_t patience) {
    if (direct()) {
        while (const auto vector = apic_.take_pending()) arch::send_interrupt(vm_.core().apic_id(), *vector);
        return never;
    }
    apic_.expire(tsc);
    if (offer_interrupt()) return tsc + patience;
    return apic_.deadline() != 0 ? apic_.deadline() + patience : never;
}

void Vcpu::enter(std::uint64_t host_vmcb) {
    const std::uint64_t offered = vmcb_.virtual_interrupt;
    vmcb_.tlb_control = flush_tlb_ ? flush_all : 0;
    flush_tlb_ = false;
    arch::svm_run(reinterpret_cast<std::uint64_t>(&vmcb_), &registers_, host_vmcb);
    const bool taken = (offered & ~vmcb_.virtual_interrupt & virtual_interrupt::irq) != 0;
    if (taken) apic_.accept(static_cast<std::uint8_t>(offered >> 32));
    apic_.collect_pv_eoi();
    settle_interrupt();
}

void Vcpu::save_switched_state() {
    switched_.xcr0 = arch::read_xcr0(); // TCG does not intercept XSETBV
    arch::write_xcr0(Cpu::all_state_components());
    arch::xsave(fpu_area_);
    switched_.tsc_aux = arch::read_msr(msr_tsc_aux);
    arch::read_debug_addresses(switched_.dr);
    if (!direct()) return;
    switched_.task_priority = arch::read_cr8();
    switched_.timer = arch::read_apic_timer();
}

void Vcpu::load_switched_state() {
    arch::write_xcr0(Cpu::all_state_components());
    arch::xrstor(fpu_area_);
    arch::write_xcr0(switched_.xcr0);
    arch::write_msr(msr_tsc_aux, switched_.tsc_aux);
    arch::write_debug_addresses(switched_.dr);
    if (!direct()) return;
    arch::write_cr8(switched_.task_priority);
    arch::write_apic_timer(switched_.timer);
}

} // namespace casemate::core
