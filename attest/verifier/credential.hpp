// SPDX-License-Identifier: Apache-2.0
// TPM2_MakeCredential without a TPM [TPM2-P1 24, B.10.4, C.6.4]: encrypts `credential` so that only the TPM that
// holds the endorsement key releases it, and only for a loaded key with this name.
// Called by enrolment. The name algorithm and the EK's own algorithm are SHA-256, its cipher AES-128-CFB.
#pragma once

#include "attest/verifier/tpm_public.hpp"

namespace casemate::verifier {

struct Credential {
    Bytes blob;             // TPM2B_ID_OBJECT
    Bytes encrypted_secret; // TPM2B_ENCRYPTED_SECRET
};

/// At most 32 bytes of credential; throws CryptoFailure when OpenSSL cannot do it.
[[nodiscard]] Credential make_credential(const EndorsementKey& ek, ByteView name, ByteView credential);

/// KDFa [TPM2-P1 11.4.10.2] and KDFe [TPM2-P1 11.4.10.3] with SHA-256, at most 256 bits; `label` without its
/// terminating zero, which they add.
[[nodiscard]] Bytes kdf_a(ByteView key, std::string_view label, ByteView context_u, ByteView context_v, unsigned bits);
[[nodiscard]] Bytes kdf_e(ByteView z, std::string_view label, ByteView party_u, ByteView party_v, unsigned bits);

} // namespace casemate::verifier
