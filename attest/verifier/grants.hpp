// SPDX-License-Identifier: Apache-2.0
// From an affirming appraisal to signed grants and renewals, and from an operator's word to a revocation.
// A key that cannot sign throws SigningUnavailable: the unit is dropped and nothing was decided.
// A device that a bootstrap grant gave has its gate open still: the grant that answers it confirms, if the store knows that bootstrap grant
// and nobody withdrew it; otherwise the answer takes the device back.
// Invariants: a gate nonce gets one grant, ever (asking again gets the same one, on the newer evidence); one appraisal grants a device to
// one VM; what an operator revoked is not granted or renewed again until released; no signature without its row in
// the store. Called by attestation, within a unit of the store that holds the platform, and by the operator's routes.
#pragma once

#include <set>

#include "attest/appraise/appraisal.hpp"
#include "attest/grant/grant_sign.hpp"
#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"
#include "attest/verifier/verified_grants.hpp"

namespace casemate::verifier {

/// The device that holds the grant key is away or refuses: the router answers 503 `signing_unavailable`.
class SigningUnavailable : public CryptoFailure {
public:
    using CryptoFailure::CryptoFailure;
};

struct Issued {
    Json grants = Json::array();  // base64 COSE
    Json reasons = Json::array(); // why a gate or lease got nothing
    std::int64_t shortest_lease = 0; // seconds, 0 = none runs
    std::int64_t attestation_interval = 0; // seconds, 0 = none in the policy
    int signed_new = 0;   // how many of `grants` are what
    int signed_again = 0;
    int renewals = 0;

    void give(ByteView cose, std::int64_t lease_seconds);
    void withhold(const char* code, const std::string& detail);
};

class Grants {
public:
    /// `previous`: the key before `signer`'s, whose grants are renewed and revoked as well.
    Grants(const Context& context, const cose::Signer& signer, const std::optional<cose::PublicPoint>& previous = {});

    /// `known`: the platform's grants, which is held.
    [[nodiscard]] Issued answer(const std::string& platform_id, const attest::EvidenceBundle& evidence, const attest::Appraisal& appraisal,
                                std::vector<store::Grant> known) const;

    /// The signed revocation; 404 when unknown, 409 when already revoked. `actor` is the operator.
    [[nodiscard]] Result<Bytes, ApiError> revoke(const std::string& grant_id, const Principal& actor) const;
    /// Revokes every grant of the platform whose lease may still run, and says how many, in the caller's unit, which holds
    /// the platform. Nothing is held back after it: the platform's state does that.
    std::size_t revoke_live(const std::string& platform_id, const Principal& actor) const;
    /// For Bootstrap, which stores what it signs.
    [[nodiscard]] Bytes sign(const grant::Claims& claims) const;

private:
    struct Round; // one answer() under way
    void answer_gate(Round& round, const attest::GateResult& gate) const;
    void answer_lease(Round& round, const attest::LeaseResult& lease) const;
    void reissue(Round& round, const store::Grant& earlier) const;
    /// Why the bootstrap grant under which a device is held cannot be confirmed; null when it can, or there is none.
    [[nodiscard]] const char* unconfirmed(const Round& round, std::size_t device) const;
    void answer_bootstrap(Round& round, const attest::LeaseResult& lease) const;
    [[nodiscard]] store::Grant new_grant(const Round& round, const attest::GateResult& gate) const;
    [[nodiscard]] Result<Bytes, ApiError> revoke_held(const store::Grant& grant, const Principal& actor) const;
    [[nodiscard]] grant::Claims claims_of(const store::Grant& grant) const;

    const Context& context_;
    const cose::Signer& signer_;
    mutable VerifiedGrants verified_; // under the signer's key or the previous one
};

/// May the hypervisor still hold it to be good? Some time is added for clocks that differ.
[[nodiscard]] bool may_be_live(const store::Grant& grant, Millis now);

/// "0000:00:03.0"
[[nodiscard]] std::string name_of(const DeviceAddress& device);

} // namespace casemate::verifier
