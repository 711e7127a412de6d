// SPDX-License-Identifier: Apache-2.0
// From the words of `--grant-key` and `--grant-key-secret` to a key that signs. Called at start by casemate-verifierd, and by casemate-policy for an owner's key.
#pragma once

#include <string>

#include "attest/cose/signer.hpp"

namespace casemate::keystore {

/// `secret_file` may be empty. The error is a sentence that quotes no secret.
[[nodiscard]] Result<cose::Signer, std::string> open_key(const std::string& locator, const std::string& secret_file);

} // namespace casemate::keystore
