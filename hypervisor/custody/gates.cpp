// SPDX-License-Identifier: Apache-2.0
// See custody.hpp: when a VM may ask for a device, and the nonce that names the moment.
#include "hypervisor/base/check.hpp"
#include "hypervisor/custody/custody.hpp"

namespace casemate::custody {

measure::GateRequest Custody::gate_request(DeviceIndex index, std::size_t slot) const {
    const DeviceRecord& device = devices_[index];
    return {.gate_nonce = device.gates[slot].nonce,
            .launch_id = launch_.id,
            .vm_id = vms_[policy_.devices[index].holders[slot]].id,
            .device = device.facts.identity,
            .isolation = device.facts.isolation,
            .tainted_by = device.tainted_by};
}

bool Custody::gate_possible(DeviceIndex index, VmIndex vm) const {
    const DeviceRecord& device = devices_[index];
    const measure::Isolation& isolation = device.facts.isolation;
    const bool unseen = device.bootstrap && device.holder == vm && device.state == DeviceState::assigned; // by the verifier
    if ((device.state != DeviceState::quarantined && !unseen) || !device.facts.present) return false;
    if (!isolation.dma_remapping || !isolation.interrupt_remapping) return false;
    return vms_[vm].state == VmState::ready || vms_[vm].state == VmState::running;
}

/// Closes the gate and, where one may be open, opens it anew. Without a nonce or a ledger entry it stays closed.
void Custody::renew_gate(DeviceIndex index, std::size_t slot) {
    Gate& gate = devices_[index].gates[slot];
    gate.open = false;
    if (!gate_possible(index, policy_.devices[index].holders[slot]) || !has_room(1)) return;
    if (!actions_.random_nonce(gate.nonce)) return;
    std::uint8_t buffer[measure::max_gate_request];
    const ByteView request = measure::encode(buffer, gate_request(index, slot));
    CHECK(!request.empty());
    gate.open = record({.kind = LedgerKind::gate_opened, .gate_request = request});
}

void Custody::renew_gates_of_device(DeviceIndex index) {
    for (std::size_t slot = 0; slot < policy_.devices[index].holder_count; ++slot) renew_gate(index, slot);
}

void Custody::renew_gates_of_vm(VmIndex vm) {
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        for (std::size_t slot = 0; slot < policy_.devices[i].holder_count; ++slot)
            if (policy_.devices[i].holders[slot] == vm) renew_gate(i, slot);
}

} // namespace casemate::custody
