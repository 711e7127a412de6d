// SPDX-License-Identifier: Apache-2.0
// See log_view.hpp.
#include "dlaunch/session/log_view.hpp"

#include "dlaunch/measure/launch_events.hpp"
#include "dlaunch/measure/ledger_entry.hpp"
#include "dlaunch/measure/pcr_map.hpp"

namespace casemate::session {

using namespace measure;

namespace {

std::string location(const DeviceAddress& device) {
    char text[16];
    std::snprintf(text, sizeof text, "%02x:%02x.%x", device.bus, device.device, device.function);
    return text;
}

const char* const reset_kinds[] = {"none", "flr", "secondary-bus", "device"};
const char* const causes[] = {"none",     "lease-expired", "revoked",  "vm-crashed",
                              "vm-exited", "vm-hung",      "operator", "reset-failed", "restart-limit"};

void add_gate(nlohmann::json& json, const LedgerEntry& entry) {
    const auto gate = parse_gate_request(entry.gate_request);
    if (!gate) return;
    json["device"] = location(gate->device.address);
    json["vm_id"] = hex(gate->vm_id);
    json["gate_nonce"] = hex(gate->gate_nonce);
    json["dma_remapping"] = gate->isolation.dma_remapping;
    json["interrupt_remapping"] = gate->isolation.interrupt_remapping;
    json["reset_kind"] = reset_kinds[static_cast<int>(gate->isolation.reset_kind)];
    json["tainted_by"] = gate->tainted_by ? nlohmann::json(hex(*gate->tainted_by)) : nlohmann::json(nullptr);
}

void add_definition(nlohmann::json& json, const LedgerEntry& entry) {
    const auto definition = parse_vm_definition(entry.definition);
    if (!definition) return;
    json["name"] = std::string{definition->name};
    json["vm_id"] = hex(vm_id_of(entry.definition));
    json["kernel_sha256"] = hex(definition->kernel);
    json["initrd_sha256"] = hex(definition->initrd);
    json["command_line"] = std::string{definition->command_line};
    json["memory_mib"] = definition->memory_mib;
}

nlohmann::json to_json(const LedgerEntry& entry) {
    nlohmann::json json{{"sequence", entry.sequence}, {"time_ms", entry.time_ms}, {"kind", name_of(entry.kind)}};
    switch (entry.kind) {
    case LedgerKind::launched: json["launch_id"] = hex(entry.launch_id); break;
    case LedgerKind::vm_defined: add_definition(json, entry); break;
    case LedgerKind::gate_opened: add_gate(json, entry); break;
    case LedgerKind::grant_accepted:
    case LedgerKind::bootstrap_accepted:
        json["lease_seconds"] = entry.lease_seconds;
        json["grant_sha256"] = hex(entry.grant_digest);
        [[fallthrough]];
    case LedgerKind::assigned:
        json["device"] = location(entry.device);
        json["vm_id"] = hex(entry.vm_id);
        json["grant_id"] = hex(entry.grant_id);
        break;
    case LedgerKind::device_reset:
        json["device"] = location(entry.device);
        json["reset_kind"] = reset_kinds[static_cast<int>(entry.reset_kind)];
        json["worked"] = entry.worked;
        break;
    case LedgerKind::vm_started:
        json["vm_id"] = hex(entry.vm_id);
        json["start"] = entry.start_number;
        json["snapshot"] = entry.snapshot ? nlohmann::json(hex(*entry.snapshot)) : nlohmann::json(nullptr);
        break;
    case LedgerKind::vm_stopped:
        json["reason"] = entry.reason;
        json["cause"] = causes[static_cast<int>(entry.cause)];
        json["vm_id"] = hex(entry.vm_id);
        break;
    case LedgerKind::draining:
        json["device"] = location(entry.device);
        json["vm_id"] = hex(entry.vm_id);
        json["cause"] = causes[static_cast<int>(entry.cause)];
        break;
    case LedgerKind::quarantined:
        json["device"] = location(entry.device);
        json["tainted_by"] = entry.tainted_by ? nlohmann::json(hex(*entry.tainted_by)) : nlohmann::json(nullptr);
        break;
    case LedgerKind::secret_released:
        json["vm_id"] = hex(entry.vm_id);
        json["name"] = std::string{entry.name};
        break;
    case LedgerKind::snapshot_taken:
        json["vm_id"] = hex(entry.vm_id);
        json["snapshot"] = hex(*entry.snapshot);
        break;
    }
    return json;
}

/// The SLB's own record is extended by SKINIT; the rest as the log says. All the same for replay.
bool replay(EventLogReader& reader, LaunchPcrs& pcrs, LogView& view) {
    while (!reader.at_end()) {
        const auto event = reader.next();
        if (!event.ok() || !pcrs.extend(event.value().pcr, event.value().digests)) return false;
        const auto tagged = parse_tagged(event.value().data);
        if (!tagged) return false;
        if (tagged->tag != EventTag::ledger) continue;
        const auto entry = parse_ledger_entry(tagged->payload);
        if (!entry) return false;
        view.ledger.push_back(to_json(*entry));
    }
    return true;
}

} // namespace

std::string hex(ByteView bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

LogView view_log(ByteView log) {
    LogView view;
    auto reader = EventLogReader::open(log);
    if (!reader.ok()) {
        view.problem = "the log has no readable header";
        return view;
    }
    LaunchPcrs pcrs{reader.value().banks()};
    if (!replay(reader.value(), pcrs, view)) view.problem = "the log has an event that is not understood";
    for (const TPM_ALG_ID bank : pcrs.banks()) {
        for (std::uint32_t pcr = first_launch_pcr; pcr <= last_launch_pcr; ++pcr) {
            view.pcrs[name_of(bank)][std::to_string(pcr)] = hex(pcrs.value(bank, pcr).view());
        }
    }
    return view;
}

} // namespace casemate::session
