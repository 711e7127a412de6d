// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/cpu.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/core/exits.hpp"
#include "hypervisor/core/machine.hpp"
#include "hypervisor/core/management_uart.hpp"
#include "hypervisor/core/vm.hpp"

#include <algorithm>
#include <utility>

namespace casemate::core {
namespace {

constexpr std::uint64_t slice_ms = 4;
constexpr std::uint64_t beat_ms = 100;
constexpr std::uint64_t cap_period_ms = 100;
constexpr std::uint64_t xcr0_x87_sse_avx = 7;
constexpr std::uint64_t patience_ms = 1; // an exit costs a busy guest a tenth of that
constexpr std::uint64_t hold_ms = 2;     // a NIC's ring of 256 lasts so long at 100,000 packets a second
constexpr std::uint64_t device_class = (host_vector::window_end - 1) >> 4;
constexpr std::uint64_t longest_wait_ms = 1000; // keeps the timer's arithmetic small
constexpr unsigned direct_link_turns = 8;
constexpr std::uint64_t link_turns_each_ms = 4; // while a link has more to do than one call may

} // namespace

std::uint64_t Cpu::all_state_components() { return arch::cpuid(0xD).eax & xcr0_x87_sse_avx; }

bool Cpu::prepare() {
    arch::load_cpu_tables(tables_, this);
    arch::enable_host_apic(host_vector::spurious, host_vector::timer);
    apic_id_ = arch::host_apic_id();
    if (!arch::enable_svm(host_save_page_.value)) return false;
    arch::svm_save_host(reinterpret_cast<std::uint64_t>(&host_vmcb_));
    arch::stgi();
    return true;
}

void Cpu::place(Vm& vm) {
    CHECK(vm_count_ < max_vms);
    share_.set_weight(vm_count_, vm.definition().weight);
    caps_.set(vm_count_, vm.definition().cap_percent);
    vms_[vm_count_++] = &vm;
    if (vm.definition().role == VmRole::agent) management_vm_ = &vm;
}

void Cpu::assign_vector_windows() {
    const auto is_driver = [](const Vm* vm) { return vm->definition().role == VmRole::driver; };
    const auto drivers =
        static_cast<unsigned>(std::count_if(vms_.begin(), vms_.begin() + vm_count_, is_driver));
    if (drivers == 0) return;
    const unsigned each = (host_vector::window_end - host_vector::window_first) / drivers;
    unsigned host = host_vector::window_first;
    for (std::size_t i = 0; i < vm_count_; ++i) {
        if (!is_driver(vms_[i])) continue;
        vms_[i]->set_vectors(
            {host_vector::window_first, static_cast<std::uint8_t>(each), static_cast<std::uint8_t>(host)});
        for (unsigned n = 0; n < each; ++n)
            routes_[host + n] = {vms_[i], static_cast<std::uint8_t>(host_vector::window_first + n)};
        host += each;
    }
}

void Cpu::kick() {
    // ORDER: sequentially consistent, as in load(): either this sees how to kick, or load() sees that a review is due.
    again_.store(true);
    if (this == &current()) return;
    if (kick_by_nmi_.load())
        arch::send_nmi(apic_id_);
    else
        arch::send_interrupt(apic_id_, host_vector::kick);
}

void Cpu::beat(std::uint64_t now_ms) {
    if (!kick_by_nmi_.load()) return;
    const auto waits = [](const Vm* vm) { return vm->has_chore() || vm->has_link_work(); };
    if (now_ms < next_beat_ && std::none_of(vms_.begin(), vms_.begin() + vm_count_, waits)) return;
    next_beat_ = now_ms + beat_ms;
    kick();
}

void Cpu::call_link_service() {
    if (this != &current() || !is_direct()) kick();
}

void Cpu::review_soon() {
    if (this != &current() || is_direct()) return call_link_service();
    review_at_ = std::min(review_at_, arch::read_tsc() + arch::tsc_from_millis(1) / link_turns_each_ms);
}

void Cpu::call_boot_core() { machine_.cpus()[0]->kick(); }

void Cpu::on_interrupt(std::uint8_t vector) {
    if (is_direct()) { // it is being put away: what it has not taken yet waits for its next turn; the spurious vector too, which it can send itself
        loaded_->apic().set_pending(vector);
        return arch::end_of_interrupt();
    }
    if (vector == host_vector::spurious) return;
    if (vector == host_vector::timer)
        armed_ = 0;
    else if (vector == host_vector::management_uart && management_vm_ != nullptr)
        uart_held_ = true, pass_uart_interrupt(*management_vm_);
    else if (vector >= host_vector::pci_lines && vector < host_vector::pci_lines_end)
        machine_.pci_interrupt(vector - host_vector::pci_lines);
    else if (const Route& route = routes_[vector]; route.vm != nullptr)
        hold_ = true, route.vm->post_interrupt(route.vector);
    arch::end_of_interrupt();
}

Vm* Cpu::find_chore() const {
    for (std::size_t i = 0; i < vm_count_; ++i)
        if (vms_[i]->has_chore()) return vms_[i];
    return nullptr;
}

/// One step; while guests run, one in a slice's time.
void Cpu::do_chore() {
    Vm* const vm = find_chore();
    if (vm == nullptr || (turn_ != nullptr && arch::read_tsc() < next_chore_)) return;
    vm->do_chore();
    next_chore_ = arch::read_tsc() + arch::tsc_from_millis(slice_ms);
}

Vcpu* Cpu::pick(std::uint64_t tsc) {
    std::uint32_t can_run = 0;
    for (std::size_t i = 0; i < vm_count_; ++i)
        if (vms_[i]->state() == VmState::running && vms_[i]->vcpu().runnable(tsc)) can_run |= 1u << i;
    can_run = caps_.admit(can_run, tsc, arch::tsc_from_millis(cap_period_ms));
    const FairShare::Turn turn = share_.next(can_run, arch::tsc_from_millis(slice_ms));
    turn_of_ = turn.who;
    turn_ends_ = std::min(turn.ticks != 0 ? tsc + turn.ticks : CoreCaps::never, caps_.deadline(turn_of_, tsc));
    return turn_of_ == FairShare::nobody ? nullptr : &vms_[turn_of_]->vcpu();
}

/// A guest's timer that is over waits for the guest's turn: an alarm for it would only end the others' turns at once.
std::uint64_t Cpu::next_review(std::uint64_t tsc) const {
    std::uint64_t next = tsc + arch::tsc_from_millis(index_ == 0 ? Machine::tick_interval_ms : longest_wait_ms);
    next = std::min(next, turn_ends_);
    if (find_chore() != nullptr) next = std::min(next, next_chore_);
    for (std::size_t i = 0; i < vm_count_; ++i) {
        if (vms_[i]->state() != VmState::running) continue;
        const std::uint64_t timer = vms_[i]->vcpu().apic().deadline();
        if (&vms_[i]->vcpu() != turn_ && timer > tsc) next = std::min(next, timer);
        if (vms_[i]->has_link_work())
            next = std::min(next, tsc + arch::tsc_from_millis(1) / link_turns_each_ms);
    }
    return next;
}

/// Nothing has happened but the guest's own exit.
bool Cpu::turn_goes_on(std::uint64_t tsc) const {
    return turn_ != nullptr && tsc < review_at_ && !again_.load(std::memory_order_acquire) && turn_->vm().goes_on();
}

/// Looks at all that may have changed and gives the next turn. The time at its end.
std::uint64_t Cpu::review() {
    // ORDER: acquire, with the release in kick(): what came before a kick is seen now, a later kick in the next review.
    (void)again_.exchange(false, std::memory_order_acquire);
    if (index_ == 0) machine_.service();
    for (std::size_t i = 0; i < vm_count_; ++i) vms_[i]->service();
    do_chore();
    const std::uint64_t tsc = arch::read_tsc();
    turn_ = pick(tsc);
    if (is_direct() && turn_ != loaded_) put_away(*loaded_);
    review_at_ = next_review(tsc);
    return tsc;
}

/// A timer that is set to a little earlier than needed only wakes us early: it is left alone.
void Cpu::arm_timer(std::uint64_t tsc, std::uint64_t deadline) {
    if (armed_ > tsc && armed_ <= deadline && deadline - armed_ < arch::tsc_from_millis(patience_ms)) return;
    armed_ = deadline;
    const std::uint64_t ticks = deadline > tsc ? deadline - tsc : 0;
    const std::uint64_t count = ticks * arch::clock_rates().apic_khz / arch::clock_rates().tsc_khz;
    arch::set_apic_timer(static_cast<std::uint32_t>(count + 1));
}

void Cpu::put_away(Vcpu& vcpu) {
    if (loaded_ != &vcpu) return;
    vcpu.save_switched_state();
    if (is_direct()) {
        arch::write_apic_timer_entry(arch::timer_masked);
        arch::end_all_interrupts();
        arch::write_cr8(0);
        arch::open_interrupt_window();
        arch::enable_host_apic(host_vector::spurious, host_vector::timer);
        armed_ = 0;
        kick_by_nmi_.store(false);
    }
    loaded_ = nullptr;
}

void Cpu::load(Vcpu& vcpu) {
    if (loaded_ == &vcpu) return;
    if (loaded_ != nullptr) put_away(*loaded_);
    if (vcpu.direct()) {
        kick_by_nmi_.store(true);
        arch::set_apic_timer(0);
        arch::open_interrupt_window(); // for what was on its way to the core, not to the VM
    }
    vcpu.load_switched_state();
    loaded_ = &vcpu;
}

/// `tsc`: when its turn began.
void Cpu::enter(Vcpu& vcpu, std::uint64_t tsc) {
    vcpu.enter(reinterpret_cast<std::uint64_t>(&host_vmcb_));
    handle_exit(vcpu);
    if (uart_held_ && &vcpu == &management_vm_->vcpu()) uart_held_ = !reopen_uart_pin(*management_vm_);
    const std::uint64_t used = arch::read_tsc() - tsc; // what its exits cost is its own time
    vcpu.vm().use_time(used);
    share_.charge(used);
    caps_.charge(turn_of_, used);
}

/// After a device's interrupt the next ones wait for whatever exit comes: the guest's HLT, mostly.
void Cpu::run_turn(std::uint64_t tsc) {
    load(*turn_);
    if (is_direct()) return run_direct(tsc);
    std::uint64_t leave_at = std::min(turn_->prepare(tsc, arch::tsc_from_millis(patience_ms)), review_at_);
    const bool hold = std::exchange(hold_, false);
    if (hold) leave_at = std::min(leave_at, tsc + arch::tsc_from_millis(hold_ms));
    arm_timer(tsc, leave_at);
    if (hold) arch::write_cr8(device_class);
    enter(*turn_, tsc);
    if (hold) arch::write_cr8(0);
}

/// What its links have left after some turns waits for the next exit or beat: the guest is not to stand still for what another VM sends.
/// ORDER: CLGI before the last look at again_: the NMI of a kick after that ends the guest at once.
void Cpu::run_direct(std::uint64_t tsc) {
    for (unsigned i = 0; i < direct_link_turns && turn_->vm().has_link_work(); ++i) turn_->vm().service_links();
    (void)turn_->prepare(tsc, 0);
    arch::clgi();
    if (again_.load()) return arch::stgi();
    enter(*turn_, tsc);
}

void Cpu::sleep(std::uint64_t tsc) {
    if (again_.load(std::memory_order_acquire) || find_chore() != nullptr) return;
    arm_timer(tsc, review_at_);
    arch::wait_for_interrupt();
}

void Cpu::run() {
    for (;;) {
        if (!is_direct()) arch::open_interrupt_window();
        std::uint64_t tsc = arch::read_tsc();
        if (!turn_goes_on(tsc)) tsc = review();
        if (turn_ != nullptr)
            run_turn(tsc);
        else
            sleep(tsc);
    }
}

} // namespace casemate::core

namespace casemate::arch {

void on_host_interrupt(std::uint8_t vector) { core::Cpu::current().on_interrupt(vector); }

} // namespace casemate::arch
