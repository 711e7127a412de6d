// SPDX-License-Identifier: Apache-2.0
// A P-256 key in a PKCS#11 token, found by an RFC 7512 URI: the token by its attributes, the key by `object` and/or `id`, the
// library by `module-path`. [PKCS11 2.40]
#pragma once

#include <memory>
#include <string>

#include "attest/cose/signing_key.hpp"
#include "attest/keystore/secret_file.hpp"

namespace casemate::keystore {

/// Logs in with `pin` (none: without) and finds the key and its public half. The error is a sentence.
[[nodiscard]] Result<std::shared_ptr<const cose::SigningKey>, std::string> open_pkcs11_key(const std::string& uri, Secret pin);

} // namespace casemate::keystore
