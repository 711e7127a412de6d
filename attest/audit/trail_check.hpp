// SPDX-License-Identifier: Apache-2.0
// Judges an exported trail without the verifier that wrote it: chain, sequence, signatures, truncation.
// What it proves: up to the newest checkpoint under the key the rows are those that the verifier signed, none missing.
// What it cannot see: a trail cut behind an older checkpoint together with all later ones, unless a later checkpoint
// or export is known from elsewhere: hand that to expect(). Called by `casemate-attest audit verify`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attest/audit/trail_file.hpp"

namespace casemate::audit {

enum class Flaw {
    line,                 // no entry of a trail, or one in another spelling
    sequence,             // a row is missing, moved or there twice
    hash,                 // a row was changed, or one before it
    checkpoint_malformed, // no checkpoint
    checkpoint_signature, // not signed by the given key
    forked,               // a signed checkpoint has another hash for a row than the file: another history exists
    truncated,            // a signed checkpoint is of a row that the file does not have
    unsigned_trail,       // no signed checkpoint at all
};

[[nodiscard]] const char* name_of(Flaw flaw);
[[nodiscard]] const char* describe(Flaw flaw);

struct Problem {
    Flaw flaw = Flaw::line;
    std::int64_t row = 0;  // sequence number; 0 when no row is meant
    std::size_t line = 0;  // of the file, from 1; 0 for what expect() was given
};

struct TrailReport {
    std::int64_t rows = 0;
    std::int64_t checkpoints = 0;     // under the key
    std::int64_t signed_until = 0;    // the newest row that a checkpoint covers
    std::int64_t signed_at = 0;       // when, milliseconds since the Unix epoch
    std::vector<Problem> problems;    // at most max_problems
    [[nodiscard]] bool intact() const { return problems.empty(); }
};

class TrailCheck {
public:
    static constexpr std::size_t max_problems = 100;

    explicit TrailCheck(measure::P256PublicKey key) : key_{std::move(key)} {}

    /// The next line of the file, without its newline.
    void line(std::string_view text);
    /// A line of an earlier export, kept elsewhere: what its checkpoints say must be in this file; its rows are not used.
    void expect(std::string_view text);
    [[nodiscard]] TrailReport finish();

private:
    void row(const ChainedRow& row);
    void checkpoint(const SignedCheckpoint& message, std::size_t line);
    void compare_checkpoints();
    void report(Flaw flaw, std::int64_t row, std::size_t line);

    struct Seen {
        Checkpoint checkpoint;
        std::size_t line;
    };
    measure::P256PublicKey key_;
    std::vector<Hash> hashes_; // as the file claims them, by sequence - 1
    std::int64_t sequence_ = 0;
    std::size_t line_ = 0;
    std::vector<Seen> seen_;
    TrailReport report_;
};

} // namespace casemate::audit
