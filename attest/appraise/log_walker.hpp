// SPDX-License-Identifier: Apache-2.0
// Walks the log event by event under the strict grammar of docs/interfaces/ledger.md: each step names the tag that must
// come next. Type, tag and position are not covered by replay; neither is data whose digest is over something else.
#pragma once

#include "attest/appraise/reasons.hpp"
#include "dlaunch/measure/ledger_entry.hpp"

namespace casemate::attest {

class LogWalker {
public:
    /// `banks`: in which the digests over event data are checked. The log must open (the caller has read it).
    LogWalker(const measure::EventLogReader& reader, const measure::Banks& banks) : reader_{reader}, banks_{banks} {}

    [[nodiscard]] bool at_end() const { return reader_.at_end(); }
    /// Tag of the next event, without a step; none at the end or when it is not tagged.
    [[nodiscard]] std::optional<measure::LedgerKind> peek_ledger_kind() const;

    struct Step {
        const measure::DigestSet& digests; // until the next step
        ByteView payload;
    };
    /// The next event, which must carry `tag`; nothing, and a reason, when it does not.
    [[nodiscard]] std::optional<Step> expect(measure::EventTag tag, Reasons& reasons);
    /// The next event as a ledger entry with its digest, sequence number and time checked.
    [[nodiscard]] std::optional<measure::LedgerEntry> expect_ledger_entry(Reasons& reasons);

    /// "event 7": the last step, counted from 1.
    [[nodiscard]] ReasonText position() const;
    /// Whether `digests` are those of `bytes` in every bank.
    [[nodiscard]] bool digests_are_of(const measure::DigestSet& digests, ByteView bytes) const;

private:
    /// Into event_.
    bool read(Reasons& reasons);
    bool in_order(const measure::LedgerEntry& entry, Reasons& reasons);

    measure::EventLogReader reader_;
    measure::Banks banks_;
    measure::LogEvent event_;
    std::uint64_t index_ = 0;
    std::uint64_t next_sequence_ = 0;
    std::uint64_t last_time_ = 0;
};

} // namespace casemate::attest
