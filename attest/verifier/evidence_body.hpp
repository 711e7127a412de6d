// SPDX-License-Identifier: Apache-2.0
// The body of an evidence request as an EvidenceBundle: base64 and hex to bytes, sizes bounded, nothing judged.
#pragma once

#include <string>
#include <vector>

#include "attest/evidence/evidence_bundle.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

/// Owns what the bundle views.
class EvidenceBody {
public:
    [[nodiscard]] static Result<EvidenceBody, ApiError> parse(const Json& body);

    [[nodiscard]] const std::string& challenge_id() const { return challenge_id_; }
    /// Valid while this object lives and stays where it is.
    [[nodiscard]] attest::EvidenceBundle bundle() const { return {quote_, signature_, log_, gate_views_, leases_, firmware_log_}; }

private:
    std::string challenge_id_;
    Bytes quote_;
    Bytes signature_;
    Bytes log_;
    Bytes firmware_log_; // empty: not sent
    std::vector<Bytes> gates_;
    std::vector<ByteView> gate_views_; // of the heap contents of gates_, which a move leaves in place
    std::vector<attest::LeaseReport> leases_;
};

} // namespace casemate::verifier
