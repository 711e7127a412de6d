// SPDX-License-Identifier: Apache-2.0
// The two kinds of TPM keys that the verifier accepts, read from a TPM2B_PUBLIC [TPM2-P2 12.2].
// An endorsement key must be exactly one of the TCG default templates L-1 (RSA 2048) and L-2 (ECC P-256)
// [TCG-EK B.3.3, B.3.4]: with any field free, one TPM could show several platform identities. An attestation
// key must be ECC P-256, ECDSA with SHA-256, restricted, and never have existed outside its TPM.
// Called by enrolment only. Parsing is exact: no trailing byte, no second encoding.
#pragma once

#include <array>

#include "attest/verifier/crypto.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::verifier {

enum class KeyError {
    malformed,        // not a TPM2B_PUBLIC of the expected shape
    template_unknown, // an EK that is not a default template
    attributes,       // an AK that is not restricted, fixed, TPM-made and signing-only
    point,            // not on the curve
};

struct EndorsementKey {
    enum class Kind { rsa2048, ecc_p256 } kind = Kind::rsa2048;
    Bytes area;      // TPMT_PUBLIC
    PublicKey key;
    Bytes x;         // ECC only, 32 bytes
    [[nodiscard]] Sha256 platform_id() const { return sha256(area); }
};

struct AttestationKey {
    Bytes area;                              // TPMT_PUBLIC
    std::array<std::uint8_t, 65> point{};    // SEC1 uncompressed
    /// nameAlg || H(area) [TPM2-P1 16]; the name algorithm is SHA-256.
    [[nodiscard]] Bytes name() const;
};

[[nodiscard]] Result<EndorsementKey, KeyError> parse_endorsement_key(ByteView tpm2b_public);
[[nodiscard]] Result<AttestationKey, KeyError> parse_attestation_key(ByteView tpm2b_public);

/// The P-256 key with this SEC1 point, or null when it is not on the curve.
[[nodiscard]] PublicKey p256_key(ByteView point);

} // namespace casemate::verifier
