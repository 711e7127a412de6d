// SPDX-License-Identifier: Apache-2.0
// See custody.hpp: the steps of a device to its holder and back.
#include "hypervisor/custody/custody.hpp"

#include "hypervisor/base/check.hpp"

namespace casemate::custody {

namespace {

using measure::Cause;
using measure::LedgerKind;
using measure::ResetKind;

/// device_reset, assigned, vm_started, vm_stopped, draining, device_reset, quarantined: what a granted device may still
/// need, also when its VM has just ended and is to be restarted. Kept free, so that taking it back never fails for want
/// of room.
constexpr std::size_t entries_of_a_grant = 7;

} // namespace

bool Custody::record(const LedgerEntry& entry) {
    if (ledger_lost_ || !actions_.record(entry)) return false;
    ++changes_;
    return true;
}

void Custody::record_way_back(const LedgerEntry& entry) {
    if (!record(entry)) ledger_lost_ = true;
}

bool Custody::has_room(std::size_t entries) const {
    std::size_t reserved = policy_.vm_count; // each may stop
    for (const DeviceRecord& device : devices_)
        if (device.state != DeviceState::quarantined) reserved += entries_of_a_grant;
    return !ledger_lost_ && actions_.ledger_has_room(reserved + entries);
}

bool Custody::begin(std::span<const ByteView> vm_definitions, std::span<const DeviceFacts> devices) {
    CHECK(vm_definitions.size() == policy_.vm_count && devices.size() == policy_.device_count);
    if (!record({.kind = LedgerKind::launched, .launch_id = launch_.id, .launch_kind = launch_.kind})) return false;
    for (VmIndex i = 0; i < policy_.vm_count; ++i) {
        vms_[i].id = measure::vm_id_of(vm_definitions[i]);
        if (!record({.kind = LedgerKind::vm_defined, .definition = vm_definitions[i]})) return false;
    }
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) devices_[i].facts = devices[i];
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) renew_gates_of_device(i);
    for (VmIndex i = 0; i < policy_.vm_count; ++i)
        if (policy_.vms[i].role != policy::Role::driver && !start_vm(i)) return false;
    return true;
}

/// A VM that runs already stays as it is.
bool Custody::start_vm(VmIndex index) {
    VmRecord& vm = vms_[index];
    if (vm.state == VmState::running) return true;
    const auto snapshot = vm.warm ? vm.snapshot : std::nullopt;
    if (!record({.kind = LedgerKind::vm_started, .vm_id = vm.id, .start_number = vm.starts + 1, .snapshot = snapshot})) return false;
    vm.warm = false;
    vm.state = VmState::running;
    vm.started_at = now_ms_;
    ++vm.starts;
    renew_gates_of_vm(index);
    actions_.start_vm(index);
    return true;
}

void Custody::reset(DeviceIndex index) {
    devices_[index].state = DeviceState::resetting;
    const ResetProgress progress = actions_.start_reset(index);
    if (progress != ResetProgress::pending) reset_done(index, progress == ResetProgress::worked);
}

void Custody::reset_done(DeviceIndex index, bool worked) {
    DeviceRecord& device = devices_[index];
    if (device.state != DeviceState::resetting) return;
    const ResetKind kind = device.facts.isolation.reset_kind;
    const bool clean = worked && kind != ResetKind::none;
    device.last_reset = clean ? kind : ResetKind::none;
    record_way_back({.kind = LedgerKind::device_reset, .device = device.facts.identity.address, .reset_kind = kind, .worked = clean});
    if (device.going_back || !worked) return quarantine(index);
    device.state = DeviceState::waiting;
    hand_over(device.holder);
}

/// Assigns what waits for the VM and starts it; a VM that does not run yet gets all its devices first. The agent has none:
/// it just comes back, for without it every lease ends.
void Custody::hand_over(VmIndex vm) {
    const VmState state = vms_[vm].state;
    if (vms_[vm].held) return;
    if (state != VmState::running && (state != VmState::ready || now_ms_ < vms_[vm].not_before)) return;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (state == VmState::ready && granted_to(i, vm) && devices_[i].state == DeviceState::resetting) return;
    bool any = policy_.vms[vm].role == policy::Role::agent && vms_[vm].restarts != 0;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (granted_to(i, vm) && devices_[i].state == DeviceState::waiting) any = assign(i) || any;
    if (!any || start_vm(vm)) return;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (granted_to(i, vm)) take_back(i, Cause::none);
}

/// False: it is on its way back.
bool Custody::assign(DeviceIndex index) {
    DeviceRecord& device = devices_[index];
    const DeviceAddress address = device.facts.identity.address;
    if (!record({.kind = LedgerKind::assigned, .vm_id = vms_[device.holder].id, .device = address, .grant_id = device.grant_id})) {
        take_back(index, Cause::none);
        return false;
    }
    device.state = DeviceState::assigned;
    if (!actions_.attach(index, device.holder)) { // a holder that runs with another device need not notice
        mark_going_back(index, Cause::reset_failed);
        detach(index);
        return false;
    }
    device.was_attached = true;
    return true;
}

void Custody::mark_going_back(DeviceIndex index, Cause cause) {
    DeviceRecord& device = devices_[index];
    const DeviceAddress address = device.facts.identity.address;
    record_way_back({.kind = LedgerKind::draining, .vm_id = vms_[device.holder].id, .device = address, .cause = cause});
    device.going_back = true;
    if (device.state == DeviceState::waiting) return quarantine(index); // reset, and nobody has touched it since
    if (device.state == DeviceState::assigned) device.state = DeviceState::draining;
}

/// Only while granted(). A device that is still resetting goes back when its reset has ended.
void Custody::take_back(DeviceIndex index, Cause cause) {
    DeviceRecord& device = devices_[index];
    mark_going_back(index, cause);
    if (device.state != DeviceState::draining) return;
    VmRecord& vm = vms_[device.holder];
    if (vm.state == VmState::ready) return detach(index); // it never ran
    if (vm.state != VmState::running) return;             // vm_stopped() is on its way
    vm.state = VmState::stopping;
    renew_gates_of_vm(device.holder);
    actions_.stop_vm(device.holder, cause);
}

void Custody::vm_stopped(VmIndex index, Cause cause, std::uint64_t reason) {
    VmRecord& vm = vms_[index];
    bool restart = vm.ordered || (vm.state == VmState::running && measure::ended_by_itself(cause));
    vm.ordered = false;
    if (vm.state == VmState::running || vm.state == VmState::stopping) {
        record_way_back({.kind = LedgerKind::vm_stopped, .vm_id = vm.id, .cause = cause, .reason = reason});
        vm.state = VmState::stopped;
        renew_gates_of_vm(index);
        restart = restart && plan_restart(index, cause);
        vm.restarts = restart ? vm.restarts + 1 : 0;
    }
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (!restart && granted_to(i, index)) mark_going_back(i, cause);
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (attached(i) && devices_[i].holder == index) detach(i);
}

bool Custody::has_grant(VmIndex vm) const {
    bool any = false;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) any = any || granted_to(i, vm);
    return any;
}

/// A stop takes away only, so it needs no grant. A VM that does not run is held from now on.
OrderError Custody::order(VmIndex index, Order order) {
    if (order != Order::stop && order != Order::start && order != Order::restart) return OrderError::order;
    if (index >= policy_.vm_count) return OrderError::vm;
    if (policy_.vms[index].role != policy::Role::driver) return OrderError::not_a_driver;
    VmRecord& vm = vms_[index];
    const bool running = vm.state == VmState::running && !vm.ordered;
    const bool possible = order == Order::stop ? !vm.held : order == Order::start ? vm.held : running;
    if (!possible) return OrderError::state;
    if (order != Order::stop && !has_grant(index)) return OrderError::no_grant;
    if (order == Order::restart && !has_room(1)) return OrderError::log_full;
    vm.held = order == Order::stop;
    ++changes_;
    if (order == Order::start) {
        hand_over(index);
    } else if (running) {
        vm.ordered = true;
        actions_.stop_vm(index, Cause::operator_order);
    }
    return OrderError::none;
}

bool Custody::attached(DeviceIndex index) const {
    return devices_[index].state == DeviceState::assigned || devices_[index].state == DeviceState::draining;
}

/// False: its devices go back, for `cause`.
bool Custody::plan_restart(VmIndex index, Cause& cause) {
    VmRecord& vm = vms_[index];
    const policy::Vm& rule = policy_.vms[index];
    if (!has_room(1)) return false; // the agent's vm_started; a device's are kept free
    if (now_ms_ >= vm.started_at + rule.quiet_seconds * 1000ull) vm.restarts = 0;
    if (vm.restarts == rule.restart_limit) {
        cause = Cause::restart_limit;
        return false;
    }
    vm.warm = vm.snapshot.has_value() && vm.restarts == 0; // one that failed soon may be the snapshot's fault
    vm.not_before = now_ms_ + (vm.restarts == 0 ? 0 : first_restart_delay_ms << (vm.restarts - 1));
    return true;
}

/// Of a VM that has just stopped too: the copy was made before. A full ledger takes none, and every restart is cold.
void Custody::snapshot_taken(VmIndex index, const measure::Sha256Digest& digest) {
    const bool wanted = policy_.vms[index].restart == policy::Restart::warm && !vms_[index].snapshot;
    const bool possible = wanted && vms_[index].starts != 0 && has_room(1);
    if (possible && record({.kind = LedgerKind::snapshot_taken, .vm_id = vms_[index].id, .snapshot = digest}))
        vms_[index].snapshot = digest;
}

void Custody::vm_ready(VmIndex index) {
    if (vms_[index].state != VmState::stopped) return;
    vms_[index].state = VmState::ready;
    ++changes_;
    hand_over(index);
    if (vms_[index].state == VmState::ready) renew_gates_of_vm(index); // else its start has done it
}

/// ORDER: the VM is stopped first, then the device is cut off, then it is reset.
void Custody::detach(DeviceIndex index) {
    actions_.detach(index);
    reset(index);
}

void Custody::quarantine(DeviceIndex index) {
    DeviceRecord& device = devices_[index];
    if (device.last_reset != ResetKind::none) device.tainted_by.reset();
    else if (device.was_attached) device.tainted_by = vms_[device.holder].id;
    record_way_back({.kind = LedgerKind::quarantined, .device = device.facts.identity.address, .tainted_by = device.tainted_by});
    device.state = DeviceState::quarantined;
    device.going_back = device.was_attached = device.bootstrap = false;
    device.grant_id = {};
    renew_gates_of_device(index);
}

void Custody::tick(std::uint64_t now_ms) {
    now_ms_ = now_ms;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) {
        if (!devices_[i].granted()) continue;
        if (now_ms >= devices_[i].lapses_at()) take_back(i, Cause::lease_expired);
        else if (ledger_lost_) take_back(i, Cause::none);
    }
    for (VmIndex i = 0; i < policy_.vm_count; ++i) hand_over(i);
}

} // namespace casemate::custody
