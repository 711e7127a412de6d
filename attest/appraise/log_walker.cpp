// SPDX-License-Identifier: Apache-2.0
// See log_walker.hpp.
#include "attest/appraise/log_walker.hpp"
#include "dlaunch/measure/pcr_map.hpp"

namespace casemate::attest {

namespace {

using measure::EventTag;

struct TagRule {
    EventTag tag;
    std::uint32_t pcr;
    const char* name;
};
constexpr TagRule rules[] = {
    {EventTag::slb, measure::pcr_launch, "slb"},
    {EventTag::hypervisor, measure::pcr_launch, "hypervisor"},
    {EventTag::owner_key, measure::pcr_authority, "owner_key"},
    {EventTag::policy, measure::pcr_authority, "policy"},
    {EventTag::ledger, measure::pcr_custody, "ledger"},
};

const TagRule* rule_of(EventTag tag) {
    for (const TagRule& rule : rules) {
        if (rule.tag == tag) return &rule;
    }
    return nullptr;
}

ReasonText joined(std::string_view a, std::string_view b, std::string_view c) {
    char buffer[96];
    std::size_t size = 0;
    for (const std::string_view part : {a, b, c}) {
        for (const char letter : part) {
            if (size < sizeof(buffer)) buffer[size++] = letter;
        }
    }
    return text_of(std::string_view{buffer, size});
}

} // namespace

ReasonText LogWalker::position() const {
    return joined("event ", text_of(index_).view(), "");
}

bool LogWalker::digests_are_of(const measure::DigestSet& digests, ByteView bytes) const {
    for (const measure::TPM_ALG_ID bank : banks_) {
        const measure::Digest* logged = digests.find(bank);
        if (logged == nullptr || !(*logged == measure::hash(bank, bytes))) return false;
    }
    return true;
}

bool LogWalker::read(Reasons& reasons) {
    ++index_;
    if (reader_.at_end()) {
        reasons.add(AppraisalError::event_missing, position());
        return false;
    }
    if (!reader_.next(event_).ok()) {
        reasons.add(AppraisalError::log_malformed, position());
        return false;
    }
    if (event_.type != measure::EV_EVENT_TAG) {
        reasons.add(AppraisalError::event_type, position(), text_of(std::uint64_t{measure::EV_EVENT_TAG}),
                    text_of(std::uint64_t{event_.type}));
        return false;
    }
    return true;
}

std::optional<LogWalker::Step> LogWalker::expect(EventTag tag, Reasons& reasons) {
    if (!read(reasons)) return std::nullopt;
    const auto data = measure::parse_tagged(event_.data);
    const TagRule* rule = data ? rule_of(data->tag) : nullptr;
    if (rule == nullptr) {
        reasons.add(AppraisalError::event_unknown, position(), text_of(rule_of(tag)->name), hex_of(event_.data));
        return std::nullopt;
    }
    if (event_.pcr != rule->pcr) {
        reasons.add(AppraisalError::event_pcr, joined(position().view(), " ", rule->name),
                    text_of(std::uint64_t{rule->pcr}), text_of(std::uint64_t{event_.pcr}));
        return std::nullopt;
    }
    if (rule->tag != tag) {
        reasons.add(AppraisalError::event_order, position(), text_of(rule_of(tag)->name), text_of(rule->name));
        return std::nullopt;
    }
    if (tag == EventTag::ledger && !digests_are_of(event_.digests, event_.data)) {
        reasons.add(AppraisalError::event_digest, joined(position().view(), " ", rule->name));
        return std::nullopt;
    }
    return Step{event_.digests, data->payload};
}

std::optional<measure::LedgerEntry> LogWalker::expect_ledger_entry(Reasons& reasons) {
    const auto step = expect(EventTag::ledger, reasons);
    if (!step) return std::nullopt;
    const auto entry = measure::parse_ledger_entry(step->payload);
    if (!entry) {
        reasons.add(AppraisalError::ledger_malformed, position());
        return std::nullopt;
    }
    if (!in_order(*entry, reasons)) return std::nullopt;
    return entry;
}

bool LogWalker::in_order(const measure::LedgerEntry& entry, Reasons& reasons) {
    if (entry.sequence != next_sequence_) {
        reasons.add(AppraisalError::ledger_sequence, position(), text_of(next_sequence_), text_of(entry.sequence));
        return false;
    }
    if (entry.time_ms < last_time_) {
        reasons.add(AppraisalError::ledger_time, position(), text_of(last_time_), text_of(entry.time_ms));
        return false;
    }
    ++next_sequence_;
    last_time_ = entry.time_ms;
    return true;
}

std::optional<measure::LedgerKind> LogWalker::peek_ledger_kind() const {
    if (reader_.at_end()) return std::nullopt;
    measure::EventLogReader ahead = reader_;
    const auto event = ahead.next();
    const auto data = event.ok() ? measure::parse_tagged(event.value().data) : std::nullopt;
    if (!data || data->tag != EventTag::ledger) return std::nullopt;
    const auto entry = measure::parse_ledger_entry(data->payload);
    if (!entry) return std::nullopt;
    return entry->kind;
}

} // namespace casemate::attest
