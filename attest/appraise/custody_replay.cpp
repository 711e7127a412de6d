// SPDX-License-Identifier: Apache-2.0
// See custody_replay.hpp.
#include "attest/appraise/custody_replay.hpp"

namespace casemate::attest {

using measure::LedgerEntry;
using measure::LedgerKind;

CustodyReplay::CustodyReplay(const policy::Policy& policy, const measure::LaunchId& launch_id,
                             std::span<const measure::VmId> vm_ids)
    : policy_{&policy}, launch_id_{launch_id} {
    for (std::size_t i = 0; i < vm_ids.size() && i < vms_.size(); ++i) vms_[i].id = vm_ids[i];
}

std::optional<std::size_t> CustodyReplay::find_device(const DeviceAddress& address) const {
    for (std::size_t i = 0; policy_ != nullptr && i < policy_->device_count; ++i) {
        if (policy_->devices[i].address == address) return i;
    }
    return std::nullopt;
}

std::optional<std::size_t> CustodyReplay::find_vm(const measure::VmId& id) const {
    for (std::size_t i = 0; policy_ != nullptr && i < policy_->vm_count; ++i) {
        if (vms_[i].id == id) return i;
    }
    return std::nullopt;
}

bool CustodyReplay::apply(const LedgerEntry& entry) {
    switch (entry.kind) {
    case LedgerKind::launched:
    case LedgerKind::vm_defined: return false;
    case LedgerKind::gate_opened: return gate_opened(entry);
    case LedgerKind::grant_accepted:
    case LedgerKind::bootstrap_accepted: return grant_accepted(entry);
    case LedgerKind::device_reset: return device_reset(entry);
    case LedgerKind::assigned: return assigned(entry);
    case LedgerKind::vm_started: return vm_started(entry);
    case LedgerKind::vm_stopped: return vm_stopped(entry);
    case LedgerKind::draining: return draining(entry);
    case LedgerKind::quarantined: return quarantined(entry);
    case LedgerKind::secret_released: return secret_released(entry);
    case LedgerKind::snapshot_taken: return snapshot_taken(entry);
    }
    return false;
}

DeviceCustody* CustodyReplay::device_of(const LedgerEntry& entry) {
    const auto index = find_device(entry.device);
    return index ? &devices_[*index] : nullptr;
}

void CustodyReplay::close_gates_of_vm(std::size_t vm) {
    for (auto& gates : gates_) gates[vm] = {};
}

bool CustodyReplay::holds_a_device(std::size_t vm) const {
    for (const DeviceCustody& device : devices_) {
        if (device.state == CustodyState::assigned && device.holder == vm) return true;
    }
    return false;
}

/// Only while quarantined, or while its holder runs with it by a bootstrap grant, and true to the device's state. A newer gate replaces the older one of the same pair.
bool CustodyReplay::gate_opened(const LedgerEntry& entry) {
    const auto request = measure::parse_gate_request(entry.gate_request);
    if (!request || request->launch_id != launch_id_) return false;
    const auto device = find_device(request->device.address);
    const auto vm = find_vm(request->vm_id);
    if (!device || !vm) return false;
    const bool unseen = devices_[*device].unseen_at(*vm) && vms_[*vm].running;
    if (devices_[*device].state != CustodyState::quarantined && !unseen) return false;
    if (devices_[*device].tainted_by != request->tainted_by) return false;
    gates_[*device][*vm] = entry.gate_request;
    return true;
}

/// What the policy allows, once, and before any other grant of the launch.
bool CustodyReplay::may_bootstrap(const LedgerEntry& entry, std::size_t device) const {
    return !granted_before_ && entry.lease_seconds != 0 && entry.lease_seconds <= policy_->devices[device].bootstrap_lease;
}

/// Answers an open gate; a tainted device goes back to the same image only. A device held by a bootstrap grant stays where it is.
bool CustodyReplay::grant_accepted(const LedgerEntry& entry) {
    const auto index = find_device(entry.device);
    const auto vm = find_vm(entry.vm_id);
    if (!index || !vm || gates_[*index][*vm].empty()) return false;
    DeviceCustody& device = devices_[*index];
    const bool bootstrap = entry.kind == LedgerKind::bootstrap_accepted;
    const bool confirms = !bootstrap && device.unseen_at(*vm);
    if (device.state != CustodyState::quarantined && !confirms) return false;
    if (bootstrap && !may_bootstrap(entry, *index)) return false;
    if (device.tainted_by && *device.tainted_by != entry.vm_id) return false;
    const auto request = measure::parse_gate_request(gates_[*index][*vm]);
    if (!request) return false;
    if (!confirms) device.state = CustodyState::resetting;
    device.holder = *vm;
    device.grant_id = entry.grant_id;
    device.grant_digest = entry.grant_digest;
    device.gate_nonce = bootstrap ? measure::GateNonce{} : request->gate_nonce;
    device.lease_seconds = entry.lease_seconds;
    device.bootstrap = bootstrap;
    granted_before_ = true;
    for (ByteView& gate : gates_[*index]) gate = {};
    return true;
}

/// On the way back only after its holder has stopped (which may run again by then, without it).
bool CustodyReplay::device_reset(const LedgerEntry& entry) {
    DeviceCustody* device = device_of(entry);
    if (device == nullptr) return false;
    const bool forth = device->state == CustodyState::resetting;
    const bool back = device->state == CustodyState::draining && (!device->held() || device->holder_stopped);
    if (!forth && !back) return false;
    if (entry.worked && entry.reset_kind == measure::ResetKind::none) return false;
    device->last_reset = entry.reset_kind;
    device->last_reset_worked = entry.worked;
    device->state = forth ? CustodyState::reset : CustodyState::drained;
    return true;
}

/// After a reset that worked, or of a device that has none. In a restart the VM does not run: see vm_started().
bool CustodyReplay::assigned(const LedgerEntry& entry) {
    DeviceCustody* device = device_of(entry);
    if (device == nullptr || device->state != CustodyState::reset) return false;
    if (device->grant_id != entry.grant_id || vms_[device->holder].id != entry.vm_id) return false;
    if (!device->last_reset_worked && device->last_reset != measure::ResetKind::none) return false;
    device->state = CustodyState::assigned;
    device->holder_stopped = false;
    ++device->assignments;
    return true;
}

/// A driver VM runs only with a device; starts count up from 1; one that goes on from a snapshot does so from its own.
bool CustodyReplay::vm_started(const LedgerEntry& entry) {
    const auto index = find_vm(entry.vm_id);
    if (!index) return false;
    VmCustody& vm = vms_[*index];
    if (vm.running || entry.start_number != vm.starts + 1) return false;
    if (entry.snapshot && entry.snapshot != vm.snapshot) return false;
    if (policy_->vms[*index].role == policy::Role::driver && !holds_a_device(*index)) return false;
    for (const DeviceCustody& device : devices_) { // a device that outlived a stop must come again or go back first
        if (device.granted() && device.holder == *index && device.holder_stopped) return false;
    }
    vm.running = true;
    ++vm.starts;
    close_gates_of_vm(*index);
    return true;
}

/// What it holds is reset before it goes on: to quarantine, or, if the VM ended by itself or by its operator's order, back to it.
bool CustodyReplay::vm_stopped(const LedgerEntry& entry) {
    const auto index = find_vm(entry.vm_id);
    if (!index || !vms_[*index].running) return false;
    vms_[*index].running = false;
    close_gates_of_vm(*index);
    for (DeviceCustody& device : devices_) {
        if (!device.held() || device.holder != *index) continue;
        device.holder_stopped = true;
        if (device.state == CustodyState::assigned && measure::leaves_grants(entry.cause))
            device.state = CustodyState::resetting;
    }
    return true;
}

/// A VM that loses a device which it holds will be stopped: its other gates are void from here on.
bool CustodyReplay::draining(const LedgerEntry& entry) {
    DeviceCustody* device = device_of(entry);
    if (device == nullptr || vms_[device->holder].id != entry.vm_id) return false;
    if (!device->granted()) return false;
    if (entry.cause == measure::Cause::restart_limit && vms_[device->holder].running) return false;
    const bool was_assigned = device->state == CustodyState::assigned;
    if (was_assigned && entry.cause == measure::Cause::reset_failed) --device->assignments; // could not be attached
    else if (was_assigned && vms_[device->holder].running) close_gates_of_vm(device->holder);
    device->state = device->state == CustodyState::reset ? CustodyState::drained : CustodyState::draining;
    if (!vms_[device->holder].running) device->holder_stopped = true;
    return true;
}

/// Clean exactly when the last reset worked; else tainted by who held it now, or as it was when nobody did.
bool CustodyReplay::quarantined(const LedgerEntry& entry) {
    DeviceCustody* device = device_of(entry);
    if (device == nullptr) return false;
    const bool failed = device->state == CustodyState::reset && !device->last_reset_worked;
    if (device->state != CustodyState::drained && !failed) return false;
    std::optional<measure::VmId> taint = device->tainted_by;
    if (device->last_reset_worked) taint.reset();
    else if (device->held()) taint = vms_[device->holder].id;
    if (entry.tainted_by != taint) return false;
    const measure::ResetKind last_reset = device->last_reset;
    *device = {};
    device->tainted_by = taint;
    device->last_reset = last_reset;
    return true;
}

/// Of what the policy lets be restarted so, and has run; one for all its restarts.
bool CustodyReplay::snapshot_taken(const LedgerEntry& entry) {
    const auto index = find_vm(entry.vm_id);
    if (!index || !entry.snapshot || vms_[*index].snapshot || vms_[*index].starts == 0) return false;
    if (policy_->vms[*index].restart != policy::Restart::warm) return false;
    vms_[*index].snapshot = entry.snapshot;
    return true;
}

bool CustodyReplay::secret_released(const LedgerEntry& entry) const {
    const auto index = find_vm(entry.vm_id);
    return index && vms_[*index].running;
}

} // namespace casemate::attest
