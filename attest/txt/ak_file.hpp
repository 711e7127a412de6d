// SPDX-License-Identifier: Apache-2.0
// An attestation key as public tools write it: TPM2B_PUBLIC or TPMT_PUBLIC (tpm2_readpublic, tpm2_createak), PEM, or an X.509
// certificate in PEM; RSA and ECC P-256, P-384. And signatures of it: TPMT_SIGNATURE, or plain (tpm2_quote --format plain).
// The verifier's own AKs are narrower (attest/verifier/tpm_public); these are others' machines. Called by explain().
#pragma once

#include "dlaunch/measure/openssl_releaser.hpp"
#include "hypervisor/base/bytes.hpp"

#include <openssl/evp.h>

#include <optional>

namespace casemate::txt {

using PublicKey = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;

struct AkFile {
    PublicKey key;
    /// It signs nothing but what its TPM made. PEM does not say.
    enum class Restricted { yes, no, unknown } restricted = Restricted::unknown;
};

/// Nothing when it is none of these.
[[nodiscard]] std::optional<AkFile> read_ak(ByteView file);

enum class SignatureCheck { good, bad, malformed };

[[nodiscard]] SignatureCheck check_signature(const AkFile& ak, ByteView message, ByteView signature);

} // namespace casemate::txt
