// SPDX-License-Identifier: Apache-2.0
// `evidence explain` for the log of a TXT launch: log, quote and reference to one verdict, with a sentence for each record.
// Deny by default: without a quote nothing is proved, and one refusing finding outweighs everything. Called by attest/cli.
#pragma once

#include "attest/txt/quote_proof.hpp"
#include "attest/txt/reference.hpp"

namespace casemate::txt {

enum class TxtVerdict {
    affirming, // the quote proves the log, and the log is the reference's
    proven,    // the quote proves the log; there was nothing to compare it with
    unproven,  // no quote
    refused,
};

/// "affirming", "proven", "unproven", "contraindicated".
[[nodiscard]] const char* name_of(TxtVerdict verdict);

struct ExplainedRecord {
    Record record;
    std::string words;
    bool extended = false;
    bool proved = false;      // that this digest was extended here, in this order
    bool data_proved = false; // what the data says, too
    Match match = Match::not_compared;
};

struct Explanation {
    LaunchLog log;
    std::vector<ExplainedRecord> records;
    Findings findings;
    QuoteProof proof;
    std::vector<std::pair<measure::Digest, std::uint32_t>> pcrs; // 17-22 in each bank, as far as the log extends them
    TxtVerdict verdict = TxtVerdict::refused;

    /// The finding to begin with: the first that refuses.
    [[nodiscard]] const Finding* first_fault() const;
    /// One or two sentences.
    [[nodiscard]] std::string summary() const;
};

/// `file` must outlive the explanation.
[[nodiscard]] Explanation explain(ByteView file, const QuoteFiles* quote, const Reference* reference);

} // namespace casemate::txt
