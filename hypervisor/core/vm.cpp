// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/vm.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/page_steps.hpp"

#include <algorithm>

namespace casemate::core {
namespace {

// SAFETY: frames of this VM, mapped at their own address in the hypervisor's tables.
ByteSpan physical_memory(HostRange range) {
    return {reinterpret_cast<std::uint8_t*>(range.base.value), range.size};
}

} // namespace

Vm::Vm(std::size_t index, const VmDefinition& definition, Cpu& core, const PageTable& table, const VmResources& resources)
    : index_{index}, definition_{definition}, core_{core}, page_table_{table}, resources_{resources},
      memory_{physical_memory(resources.ram)}, platform_{*this}, vcpu_{*this, *resources.vmcb, resources.fpu_area} {
    platform_.acpi.agent = definition.role == VmRole::agent;
    CHECK(register_devices());
}

bool Vm::register_devices() { return platform_.register_devices(bus_) && vcpu_.apic().register_msrs(bus_); }

std::optional<HostRange> Vm::allocate_window(std::uint64_t bytes) {
    const std::uint64_t size = (bytes + page_size - 1) & ~(page_size - 1);
    if (size < bytes || size > resources_.windows.size - windows_used_) return std::nullopt;
    const HostRange window{resources_.windows.base + windows_used_, size};
    windows_used_ += size;
    return window;
}

void Vm::start() {
    start_requested_.store(true, std::memory_order_release);
    core_.kick();
}

void Vm::stop(StopCause cause) {
    stop_requested_.store(cause, std::memory_order_release);
    core_.kick();
}

void Vm::end(StopCause cause, StopReason reason) {
    if (lives()) park(cause, reason); // the first reason counts
}

bool Vm::add_link(vlink::End& end) {
    if (link_count_ == links_.size() || !end.attach(platform_.pci, bus_)) return false;
    links_[link_count_++] = &end;
    return true;
}

bool Vm::has_link_work() const {
    return std::any_of(links_.begin(), links_.begin() + link_count_,
                       [](const vlink::End* end) { return end->has_work(); });
}

void Vm::service_links() {
    for (unsigned i = 0; state() == VmState::running && i < link_count_; ++i) links_[i]->service();
}

void Vm::call_service() { core_.call_link_service(); }
void Vm::call_service_soon() { core_.review_soon(); }

void Vm::park(StopCause cause, StopReason reason) {
    cause_ = cause;
    reason_ = reason;
    wiped_ = 0;
    snapshot_wanted_ = false;
    platform_.mailbox.reset();
    if (resources_.snapshot != nullptr) resources_.snapshot->abandon();
    for (unsigned i = 0; i < link_count_; ++i) links_[i]->reset(); // ORDER: before the memory is given up
    set_state(VmState::parked);
    LogLine{"@cm event=vm_stopped"}.key("vm", name()).key("cause", static_cast<unsigned>(cause))
        .key("reason", static_cast<unsigned>(reason)).key_hex("exit", vcpu_.vmcb().exitcode).key_hex("rip", vcpu_.vmcb().rip);
    log_exits();
    core_.call_boot_core();
}

/// Since the launch, all starts together.
void Vm::log_exits() const {
    LogLine line{"@cm event=vm_exits"};
    line.key("vm", name());
    for (std::size_t i = 0; i < exit_kind_names.size(); ++i) line.key(exit_kind_names[i], exits_.counts[i]);
}

void Vm::raise_line(unsigned pin) {
    raised_.fetch_or(1u << pin, std::memory_order_release);
    core_.kick();
}

bool Vm::has_ended(unsigned pin) {
    const auto vector = platform_.io_apic.open_vector(pin);
    return vector && !vcpu_.in_progress(*vector);
}

/// A pin that the guest keeps masked waits for the guest to open it: then the line, if it is up still, is raised anew.
void Vm::service_lines() {
    const std::uint32_t raised = raised_.exchange(0, std::memory_order_acquire);
    lines_ |= raised;
    for (unsigned pin = 0; lines_ >> pin != 0; ++pin) {
        if ((lines_ >> pin & 1) == 0) continue;
        if ((raised >> pin & 1) != 0) platform_.io_apic.raise(pin);
        if (!has_ended(pin)) continue;
        lines_ &= ~(1u << pin);
        platform_.pci.end_interrupt(pin);
    }
}

/// A VM that was told to start but does not run yet has promised an on_vm_stopped() too.
void Vm::obey_stop() {
    const StopCause cause = stop_requested_.exchange(StopCause::none, std::memory_order_acquire);
    if (cause == StopCause::none || state() == VmState::parked) return;
    const bool starting = start_requested_.exchange(false, std::memory_order_acquire);
    if (starting || lives()) park(cause, StopReason::requested);
}

void Vm::service() {
    obey_stop();
    if (state() == VmState::running && platform_.watchdog.expired(arch::read_tsc(), arch::clock_rates().tsc_khz))
        park(StopCause::vm_hung, StopReason::watchdog);
    if (state() == VmState::running && snapshot_wanted_) begin_snapshot();
    service_links();
    if (state() == VmState::running) service_lines();
    if (state() != VmState::ready && state() != VmState::unusable) return;
    if (!start_requested_.exchange(false, std::memory_order_acquire)) return;
    if (state() == VmState::ready)
        launch();
    else
        park(StopCause::vm_crashed, StopReason::image_refused);
}

const Snapshot* Vm::snapshot() const {
    const bool taken = resources_.snapshot != nullptr && resources_.snapshot->stage() == Snapshot::Stage::taken;
    return taken ? resources_.snapshot : nullptr;
}

bool Vm::is_being_taken() const {
    return resources_.snapshot != nullptr && (resources_.snapshot->stage() == Snapshot::Stage::saving ||
                                              resources_.snapshot->stage() == Snapshot::Stage::hashing);
}

/// One is enough; and none of a VM whose devices already have a state of their own.
void Vm::ask_snapshot() {
    snapshot_wanted_ = resources_.snapshot != nullptr && resources_.snapshot->stage() == Snapshot::Stage::none &&
                       !platform_.pci.in_use();
    core_.kick();
}

void Vm::begin_snapshot() {
    snapshot_wanted_ = false;
    core_.put_away(vcpu_);
    resources_.snapshot->begin(vcpu_, platform_);
    set_state(VmState::saving);
}

/// The VM runs on while its snapshot is hashed.
void Vm::step_snapshot() {
    if (!resources_.snapshot->step()) return;
    if (state() == VmState::saving) set_state(VmState::running);
    if (snapshot() != nullptr) core_.call_boot_core();
}

void Vm::devices_released(bool warm) {
    warm_ = warm;
    set_state(warm ? VmState::restoring : VmState::wiping);
}

bool Vm::has_chore() const {
    return state() == VmState::wiping || state() == VmState::loading || state() == VmState::restoring || is_being_taken();
}

void Vm::do_chore() {
    if (state() == VmState::wiping) {
        if (wipe_step()) set_state(VmState::loading);
    } else if (state() == VmState::restoring) {
        if (!resources_.snapshot->restore_step()) return;
        set_state(VmState::ready);
        core_.call_boot_core();
    } else if (state() == VmState::loading) {
        set_state(load() ? VmState::ready : VmState::unusable);
        core_.call_boot_core();
    } else if (is_being_taken()) {
        step_snapshot();
    }
}

HostRange Vm::all_memory() const {
    return {resources_.ram.base, resources_.ram.size + resources_.windows.size};
}

bool Vm::wipe_step() {
    return step_pages(wiped_, all_memory().size / page_size, [&](std::uint64_t page) {
        const ByteSpan bytes = physical_memory({all_memory().base + page * page_size, page_size});
        std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
    });
}

bool Vm::load() {
    const auto entry = load_linux(memory_, {definition_.kernel, definition_.initrd, definition_.command_line},
                                  platform_.acpi);
    if (!entry) {
        LogLine{"@cm event=vm_refused"}.key("vm", name()).key("error", static_cast<unsigned>(entry.error()));
        return false;
    }
    entry_ = entry.value();
    return true;
}

/// Its core can do without interrupts of its own, and nobody needs to know when the guest has ended one.
bool Vm::may_be_direct() const {
    return definition_.dedicated && arch::has_x2apic() && core_.index() != 0 && !platform_.pci.has_lines();
}

void Vm::launch() {
    core_.forget(vcpu_);
    if (warm_) {
        resources_.snapshot->resume(vcpu_, platform_);
    } else {
        const bool direct = may_be_direct();
        vcpu_.reset(entry_,
                    {reinterpret_cast<std::uint64_t>(resources_.io_map),
                     reinterpret_cast<std::uint64_t>(direct ? resources_.direct_msr_map : resources_.msr_map),
                     page_table_.root().value, static_cast<std::uint32_t>(index_ + 1),
                     direct ? devices::LocalApic::Mode::direct : devices::LocalApic::Mode::emulated},
                    memory_);
        platform_.reset(memory_, arch::clock_rates().tsc_khz, arch::read_tsc());
    }
    platform_.mailbox.reset();
    raised_ = 0;
    lines_ = 0;
    cause_ = StopCause::none;
    reason_ = StopReason::none;
    ++starts_;
    LogLine{"@cm event=vm_started"}.key("vm", name()).key("start", starts_).key("core", core_.index()).key("warm", warm_).key("direct", vcpu_.direct());
    set_state(VmState::running);
}

void Vm::console_line(std::string_view line) {
    if (!console_budget_.spend(arch::now_micros() / 1000)) return;
    if (const std::uint64_t dropped = console_budget_.take_dropped(); dropped != 0)
        LogLine{"@cm event=console_lines_dropped"}.key("vm", name()).key("lines", dropped);
    LogLine{"["}.text(name()).text("] ").text(line);
}

void Vm::power(devices::PowerRequest request) {
    end(StopCause::vm_exited, request == devices::PowerRequest::reset ? StopReason::reset : StopReason::power_off);
}

} // namespace casemate::core
