// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/custody_events.hpp"

#include "hypervisor/core/log.hpp"
#include "hypervisor/core/log_device.hpp"

namespace casemate::core {

namespace {

using measure::LedgerKind;

std::string_view vm_name(const measure::VmId& id, const policy::Policy& policy, const VmMeasurements& measurements) {
    for (std::size_t i = 0; i < policy.vm_count; ++i)
        if (measurements.id(i) == id) return policy.vms[i].name.view();
    return "?";
}

} // namespace

void log_entry(const measure::LedgerEntry& entry, std::uint64_t now_ms, const policy::Policy& policy, const VmMeasurements& measurements) {
    const DeviceName device{entry.device};
    const std::string_view vm = vm_name(entry.vm_id, policy, measurements);
    switch (entry.kind) {
    case LedgerKind::launched:
        LogLine{"@cm event=launched"}.key_bytes("launch_id", entry.launch_id).key("kind", static_cast<unsigned>(entry.launch_kind));
        break;
    case LedgerKind::gate_opened:
        if (const auto gate = measure::parse_gate_request(entry.gate_request))
            LogLine{"@cm event=gate_opened"}.key("device", DeviceName{gate->device.address}.view())
                .key("vm", vm_name(gate->vm_id, policy, measurements)).key_bytes("gate_nonce", gate->gate_nonce);
        break;
    case LedgerKind::grant_accepted:
    case LedgerKind::bootstrap_accepted:
        LogLine{entry.kind == LedgerKind::grant_accepted ? "@cm event=grant_accepted" : "@cm event=bootstrap_accepted"}.key("device", device.view()).key("vm", vm).key_bytes("grant", entry.grant_id)
            .key("lease_s", entry.lease_seconds);
        break;
    case LedgerKind::device_reset:
        LogLine{"@cm event=device_reset"}.key("device", device.view()).key("kind", static_cast<unsigned>(entry.reset_kind)).key("ok", entry.worked);
        break;
    case LedgerKind::assigned:
        LogLine{"@cm event=assigned"}.key("device", device.view()).key("vm", vm).key_bytes("grant", entry.grant_id);
        break;
    case LedgerKind::draining:
        LogLine{"@cm event=draining"}.key("device", device.view()).key("vm", vm).key("cause", static_cast<unsigned>(entry.cause)).key("at_ms", now_ms);
        break;
    case LedgerKind::quarantined:
        LogLine{"@cm event=quarantined"}.key("device", device.view())
            .key("tainted", entry.tainted_by ? vm_name(*entry.tainted_by, policy, measurements) : "-").key("at_ms", now_ms);
        break;
    case LedgerKind::snapshot_taken:
        LogLine{"@cm event=snapshot_taken"}.key("vm", vm).key_bytes("digest", *entry.snapshot).key("at_ms", now_ms);
        break;
    default: break;
    }
}

} // namespace casemate::core
