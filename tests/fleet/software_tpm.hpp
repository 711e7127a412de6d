// SPDX-License-Identifier: Apache-2.0
// The keys of a TPM in software: an endorsement key of a TCG default template, a restricted P-256 attestation key, and the
// two commands that attestation needs, credential activation [TPM2-P1 24] and signing. For load and tests: its keys
// are protected by nothing.
#pragma once

#include <optional>

#include "attest/verifier/crypto.hpp"

namespace casemate::fleet {

using verifier::Bytes;

enum class EkKind { rsa2048, ecc_p256 };

class SoftwareTpm {
public:
    /// New keys; some 100 ms with RSA.
    explicit SoftwareTpm(EkKind kind);

    [[nodiscard]] Bytes ek_public() const; // TPM2B_PUBLIC, template L-1 or L-2 [TCG-EK B.3.3, B.3.4]
    [[nodiscard]] Bytes ak_public() const; // TPM2B_PUBLIC, as docs/interfaces/verifier-api.md wants it
    [[nodiscard]] EVP_PKEY& ek() const { return *ek_; }
    [[nodiscard]] EVP_PKEY& ak() const { return *ak_; }

    /// TPM2_ActivateCredential for the AK; nothing when the blob is not for this EK and this AK.
    [[nodiscard]] std::optional<Bytes> activate(ByteView blob, ByteView encrypted_secret) const;
    /// TPMT_SIGNATURE, ECDSA with SHA-256 by the AK.
    [[nodiscard]] Bytes sign(ByteView attest) const;
    /// Both keep their EK.
    void exchange_aks(SoftwareTpm& other) { ak_.swap(other.ak_); }

private:
    [[nodiscard]] std::optional<Bytes> seed_of(ByteView encrypted_secret) const;
    [[nodiscard]] Bytes ak_name() const;

    EkKind kind_;
    verifier::PublicKey ek_; // with its private part
    verifier::PublicKey ak_;
};

/// TPMT_SIGNATURE by any P-256 key.
[[nodiscard]] Bytes sign_as_tpm(EVP_PKEY& key, ByteView attest);

} // namespace casemate::fleet
