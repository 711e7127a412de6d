// SPDX-License-Identifier: Apache-2.0
// See trail_check.hpp. After a problem the check goes on from what the file claims, so that each later problem is one of
// its own and the first one is the place.
#include "attest/audit/trail_check.hpp"

namespace casemate::audit {

const char* name_of(Flaw flaw) {
    switch (flaw) {
    case Flaw::line: return "line";
    case Flaw::sequence: return "sequence";
    case Flaw::hash: return "hash";
    case Flaw::checkpoint_malformed: return "checkpoint_malformed";
    case Flaw::checkpoint_signature: return "checkpoint_signature";
    case Flaw::forked: return "forked";
    case Flaw::truncated: return "truncated";
    case Flaw::unsigned_trail: return "unsigned";
    }
    return "unknown";
}

const char* describe(Flaw flaw) {
    switch (flaw) {
    case Flaw::line: return "this line is no entry of an audit trail";
    case Flaw::sequence: return "a row is missing before this one, or it is out of order";
    case Flaw::hash: return "this row's hash does not fit its content and the row before it";
    case Flaw::checkpoint_malformed: return "this is no checkpoint of an audit trail";
    case Flaw::checkpoint_signature: return "this checkpoint is not signed by the given key";
    case Flaw::forked: return "a signed checkpoint names another hash for this row: the trail was rewritten or forked";
    case Flaw::truncated: return "a signed checkpoint covers this row, and the file ends before it";
    case Flaw::unsigned_trail: return "no signed checkpoint: nothing proves this trail";
    }
    return "unknown";
}

void TrailCheck::report(Flaw flaw, std::int64_t row, std::size_t line) {
    if (report_.problems.size() < max_problems) report_.problems.push_back({flaw, row, line});
}

void TrailCheck::line(std::string_view text) {
    ++line_;
    const std::optional<Entry> entry = read_line(text);
    if (!entry) return report(Flaw::line, 0, line_);
    if (const auto* chained = std::get_if<ChainedRow>(&*entry)) return row(*chained);
    checkpoint(std::get<SignedCheckpoint>(*entry), line_);
}

void TrailCheck::expect(std::string_view text) {
    const std::optional<Entry> entry = read_line(text);
    if (!entry) return report(Flaw::line, 0, 0);
    if (const auto* message = std::get_if<SignedCheckpoint>(&*entry)) checkpoint(*message, 0);
}

void TrailCheck::row(const ChainedRow& row) {
    ++report_.rows;
    if (row.sequence != sequence_ + 1) report(Flaw::sequence, row.sequence, line_);
    const Hash previous = hashes_.empty() ? Hash{} : hashes_.back();
    if (row_hash(previous, row.sequence, row.row) != row.hash) report(Flaw::hash, row.sequence, line_);
    hashes_.push_back(row.hash);
    sequence_ = row.sequence;
}

void TrailCheck::checkpoint(const SignedCheckpoint& message, std::size_t line) {
    const Result<Checkpoint, CheckpointError> read = verify(message, key_);
    if (!read) {
        const bool signature = read.error() == CheckpointError::signature;
        return report(signature ? Flaw::checkpoint_signature : Flaw::checkpoint_malformed, sequence_, line);
    }
    seen_.push_back({read.value(), line});
}

void TrailCheck::compare_checkpoints() {
    for (const Seen& seen : seen_) {
        const Head& head = seen.checkpoint.head;
        if (static_cast<std::uint64_t>(head.sequence) > hashes_.size()) {
            report(Flaw::truncated, head.sequence, seen.line);
        } else if (hashes_[static_cast<std::size_t>(head.sequence) - 1] != head.hash) {
            report(Flaw::forked, head.sequence, seen.line);
        } else if (head.sequence >= report_.signed_until) {
            report_.signed_until = head.sequence;
            report_.signed_at = seen.checkpoint.at;
        }
    }
}

TrailReport TrailCheck::finish() {
    compare_checkpoints();
    report_.checkpoints = static_cast<std::int64_t>(seen_.size());
    if (seen_.empty()) report(Flaw::unsigned_trail, sequence_, 0);
    return std::move(report_);
}

} // namespace casemate::audit
