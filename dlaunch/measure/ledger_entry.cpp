// SPDX-License-Identifier: Apache-2.0
// See ledger_entry.hpp; keys as in docs/interfaces/ledger.md.
#include "dlaunch/measure/ledger_entry.hpp"
#include "dlaunch/measure/cbor_fields.hpp"

namespace casemate::measure {

namespace {

constexpr std::size_t tag_size = 8;

/// Keys 0, 1 and 2 and the number of the others by kind.
constexpr std::size_t fields_of(LedgerKind kind) {
    switch (kind) {
    case LedgerKind::launched: return 3 + 2;
    case LedgerKind::vm_defined:
    case LedgerKind::gate_opened: return 3 + 1;
    case LedgerKind::grant_accepted:
    case LedgerKind::bootstrap_accepted: return 3 + 5;
    case LedgerKind::device_reset:
    case LedgerKind::assigned: return 3 + 3;
    case LedgerKind::vm_started: return 3 + 3;
    case LedgerKind::vm_stopped:
    case LedgerKind::draining: return 3 + 3;
    case LedgerKind::quarantined:
    case LedgerKind::secret_released:
    case LedgerKind::snapshot_taken: return 3 + 2;
    }
    return 0;
}

/// The fields after key 2; Entry is const when the codec writes.
template <typename Codec, typename Entry>
void describe_rest(Codec& codec, Entry& entry) {
    switch (entry.kind) {
    case LedgerKind::launched:
        codec.fixed(3, entry.launch_id);
        codec.choice(4, entry.launch_kind, launch::LaunchKind::txt);
        return;
    case LedgerKind::vm_defined: codec.blob(3, entry.definition, max_vm_definition); return;
    case LedgerKind::gate_opened: codec.blob(3, entry.gate_request, max_gate_request); return;
    case LedgerKind::grant_accepted:
    case LedgerKind::bootstrap_accepted:
        codec.fixed(3, entry.grant_id);
        codec.fixed(4, entry.vm_id);
        codec.device(5, entry.device);
        codec.number(6, entry.lease_seconds);
        codec.fixed(7, entry.grant_digest);
        return;
    case LedgerKind::device_reset:
        codec.device(3, entry.device);
        codec.choice(4, entry.reset_kind, ResetKind::device_specific);
        codec.flag(5, entry.worked);
        return;
    case LedgerKind::assigned:
        codec.device(3, entry.device);
        codec.fixed(4, entry.vm_id);
        codec.fixed(5, entry.grant_id);
        return;
    case LedgerKind::vm_started:
        codec.fixed(3, entry.vm_id);
        codec.number(4, entry.start_number);
        codec.fixed_or_empty(5, entry.snapshot);
        return;
    case LedgerKind::vm_stopped:
        codec.fixed(3, entry.vm_id);
        codec.choice(4, entry.cause, Cause::reset_failed);
        codec.number(5, entry.reason);
        return;
    case LedgerKind::draining:
        codec.device(3, entry.device);
        codec.fixed(4, entry.vm_id);
        codec.choice(5, entry.cause, Cause::restart_limit);
        return;
    case LedgerKind::quarantined:
        codec.device(3, entry.device);
        codec.fixed_or_empty(4, entry.tainted_by);
        return;
    case LedgerKind::secret_released:
        codec.fixed(3, entry.vm_id);
        codec.text(4, entry.name, max_secret_name);
        return;
    case LedgerKind::snapshot_taken:
        codec.fixed(3, entry.vm_id);
        codec.fixed_or_empty(4, entry.snapshot);
        if (!entry.snapshot) codec.fail();
        return;
    }
}

template <typename Codec, typename Entry>
void describe(Codec& codec, Entry& entry) {
    codec.choice(0, entry.kind, last_ledger_kind);
    codec.number(1, entry.sequence);
    codec.number(2, entry.time_ms);
    describe_rest(codec, entry);
}

} // namespace

const char* name_of(LedgerKind kind) {
    constexpr const char* names[] = {"launched", "vm_defined", "gate_opened", "grant_accepted",
                                     "device_reset", "assigned", "vm_started", "vm_stopped",
                                     "draining", "quarantined", "secret_released", "snapshot_taken", "bootstrap_accepted"};
    return kind <= last_ledger_kind ? names[static_cast<std::size_t>(kind)] : "unknown";
}

ByteView encode(ByteSpan out, const LedgerEntry& entry) {
    if (out.size() < tag_size) return {};
    const ByteSpan room = out.size() > max_ledger_event ? out.first(max_ledger_event) : out;
    CborWriter payload{room.subspan(tag_size)};
    FieldWriter codec{payload};
    codec.map(fields_of(entry.kind));
    describe(codec, entry);
    LittleEndianWriter head{room.first(tag_size)};
    write_tag(head, EventTag::ledger, payload.size());
    return payload.ok() ? ByteView{room.first(tag_size + payload.size())} : ByteView{};
}

std::optional<LedgerEntry> parse_ledger_entry(ByteView payload) {
    CborReader in{payload};
    FieldReader codec{in};
    LedgerEntry entry;
    const std::size_t fields = in.map_size(8);
    describe(codec, entry);
    if (!in.finished() || fields != fields_of(entry.kind)) return std::nullopt;
    return entry;
}

} // namespace casemate::measure
