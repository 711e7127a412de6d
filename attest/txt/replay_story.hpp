// SPDX-License-Identifier: Apache-2.0
// When a quote is not what the log gives: which known state the PCRs are in instead. Whatever the story, the launch is refused.
#pragma once

#include "attest/evidence/tpm_structures.hpp"
#include "attest/txt/launch_log.hpp"
#include "attest/txt/pcr_replay.hpp"

namespace casemate::txt {

struct Story {
    TxtReason reason{};
    std::string detail;
};

/// Nothing when the log replays to the quote. All its selected PCRs are the log's (the caller has looked).
[[nodiscard]] std::optional<Story> tell_story(const LaunchLog& log, const attest::Quote& quote);

/// The algorithm of the quote's PCR digest, by its size.
[[nodiscard]] std::optional<measure::TPM_ALG_ID> composite_hash(const attest::Quote& quote);

/// not_launched for all ones, launch_not_finished for all zeros, else log_replay.
[[nodiscard]] TxtReason state_of(ByteView value);

} // namespace casemate::txt
