// SPDX-License-Identifier: Apache-2.0
// The only way from Unverified to Verified: signature, nonce, PCR selection, then the log's replay.
#pragma once

#include "attest/appraise/appraisal.hpp"
#include "attest/appraise/firmware_log.hpp"

namespace casemate::attest {

/// Does the first bank of the selection have any of PCR 0-7?
[[nodiscard]] bool quotes_firmware(const Quote& quote);

class Verifier {
public:
    /// Checks everything about the quote but its PCR digest. `claimed_launch` comes from the log, unproved as yet: the
    /// nonce check binds it. Nothing, and a reason, on failure.
    [[nodiscard]] static std::optional<Verified<Quote>> verify_quote(const EvidenceBundle& evidence,
                                                                     const Expectation& expectation,
                                                                     const measure::LaunchId& claimed_launch,
                                                                     Reasons& reasons);
    /// The log, with the replay of the firmware's when PCR 0-7 are quoted (else null), replays to the PCR digest in every bank of
    /// the quote. Nothing, and a reason, on failure.
    [[nodiscard]] static std::optional<Verified<ByteView>> verify_log(const Verified<Quote>& quote, ByteView log,
                                                                      const FirmwarePcrs* firmware,
                                                                      const measure::Banks& expected,
                                                                      Reasons& reasons);
};

} // namespace casemate::attest
