// SPDX-License-Identifier: Apache-2.0
// See launch_record.hpp.
#include "attest/appraise/launch_record.hpp"

namespace casemate::attest {

namespace {

using measure::EventTag;
using measure::LedgerKind;

/// One launch event: its digests and its payload as a value.
template <typename Event>
bool read_event(LogWalker& walker, EventTag tag, std::optional<Event> (*parse)(ByteView), Event& event,
                measure::DigestSet& digests, Reasons& reasons) {
    const auto step = walker.expect(tag, reasons);
    if (!step) return false;
    const auto parsed = parse(step->payload);
    if (!parsed) {
        reasons.add(AppraisalError::event_payload, walker.position());
        return false;
    }
    event = *parsed;
    digests = step->digests;
    return true;
}

/// The digest is over the 65 key bytes, and these are in the payload: so the payload is proved as well.
bool read_owner_key(LogWalker& walker, LaunchRecord& record, Reasons& reasons) {
    measure::DigestSet digests;
    if (!read_event(walker, EventTag::owner_key, measure::parse_owner_key_event, record.owner_key, digests, reasons))
        return false;
    if (walker.digests_are_of(digests, record.owner_key.key)) return true;
    reasons.add(AppraisalError::event_digest, walker.position());
    return false;
}

bool read_launched(LogWalker& walker, LaunchRecord& record, Reasons& reasons) {
    const auto entry = walker.expect_ledger_entry(reasons);
    if (!entry) return false;
    if (entry->kind != LedgerKind::launched) {
        reasons.add(AppraisalError::ledger_order, walker.position(), text_of(name_of(LedgerKind::launched)),
                    text_of(name_of(entry->kind)));
        return false;
    }
    record.launch_id = entry->launch_id;
    record.launch_kind = entry->launch_kind;
    return true;
}

bool read_vm_definitions(LogWalker& walker, LaunchRecord& record, Reasons& reasons) {
    while (walker.peek_ledger_kind() == LedgerKind::vm_defined) {
        const auto entry = walker.expect_ledger_entry(reasons);
        if (!entry) return false;
        if (!record.vm_definitions.add(entry->definition)) {
            reasons.add(AppraisalError::vm_count, walker.position());
            return false;
        }
    }
    return true;
}

} // namespace

bool read_launch_record(LogWalker& walker, LaunchRecord& record, Reasons& reasons) {
    return read_event(walker, EventTag::slb, measure::parse_slb_event, record.slb, record.slb_digests, reasons) &&
           read_event(walker, EventTag::hypervisor, measure::parse_hypervisor_event, record.hypervisor,
                      record.hypervisor_digests, reasons) &&
           read_owner_key(walker, record, reasons) &&
           read_event(walker, EventTag::policy, measure::parse_policy_event, record.policy, record.policy_digests,
                      reasons) &&
           read_launched(walker, record, reasons) && read_vm_definitions(walker, record, reasons);
}

measure::LaunchId claimed_launch_id(ByteView log) {
    auto reader = measure::EventLogReader::open(log);
    while (reader.ok() && !reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) break;
        const auto data = measure::parse_tagged(event.value().data);
        if (!data || data->tag != EventTag::ledger) continue;
        const auto entry = measure::parse_ledger_entry(data->payload);
        if (entry && entry->kind == LedgerKind::launched) return entry->launch_id;
        break; // `launched` is the first entry or there is none
    }
    return {};
}

} // namespace casemate::attest
