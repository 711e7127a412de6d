// SPDX-License-Identifier: Apache-2.0
// Appraisal results as EAT Attestation Results: a JWT [RFC 7519] signed with ES256 [RFC 7518 3.4], its claims those of
// draft-ietf-rats-ear-04 over RFC 9711 with trust values of draft-ietf-rats-ar4si. docs/interfaces/results.md.
// Making them is the verifier's; reading them is anyone's who holds its public key, offline.
#pragma once

#include "attest/cose/signer.hpp"
#include "attest/verifier/context.hpp"
#include "attest/verifier/judgement.hpp"

namespace casemate::verifier {

/// What a result says beside the judgement.
struct ResultSubject {
    const std::string& platform_id;
    const Bytes& nonce;
    Millis issued_at = 0;
    Millis lifetime = 0;
};

/// The compact serialisation [RFC 7515 7.1].
[[nodiscard]] std::string sign_result(const Judgement& judgement, const ResultSubject& subject, const cose::Signer& key);

struct ResultRefusal {
    enum class Why {
        shape,     // not three parts of base64url in their one encoding, or not JSON objects with each key once
        header,    // a header that is not exactly {alg, kid, typ: "JWT"}
        algorithm, // not ES256: never another, and never none
        signature, // not by this key, or not the one form of it (s in the lower half of the order)
        claims,    // a claim of the profile is missing or of another type
        expired,   // exp has passed
        not_yet,   // iat lies more than a minute in the future
    } why = Why::shape;
    std::string detail;
};
[[nodiscard]] const char* name_of(ResultRefusal::Why why);

using ResultKey = std::array<std::uint8_t, measure::p256_point_size>; // SEC1, uncompressed

/// The claims, once everything about the token is good. UNTRUSTED: `token`.
[[nodiscard]] Result<Json, ResultRefusal> verify_result(std::string_view token, const ResultKey& key, Millis now);

} // namespace casemate::verifier
