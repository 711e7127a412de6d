// SPDX-License-Identifier: Apache-2.0
// A P-256 signing key at a persistent handle of a TPM 2.0, through ESAPI. Each signature is authorised in an HMAC session: the
// password never crosses the bus, and the response is authenticated with it [TPM2-P1 19.6]. The session is not salted: who
// listens on the bus can try passwords offline, so it must be long and random.
#pragma once

#include <memory>
#include <string>

#include "attest/cose/signing_key.hpp"
#include "attest/keystore/key_locator.hpp"
#include "attest/keystore/secret_file.hpp"

namespace casemate::keystore {

/// The key must be ECC P-256, sign, not restricted, fixedTPM, ECDSA with SHA-256 or no scheme. The error is a sentence.
[[nodiscard]] Result<std::shared_ptr<const cose::SigningKey>, std::string> open_tpm_key(const TpmLocator& where, Secret password);

} // namespace casemate::keystore
