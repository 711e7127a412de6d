// SPDX-License-Identifier: Apache-2.0
// The verifier's side of grants: claims and key to message. Host only.
#pragma once

#include "attest/cose/signer.hpp"
#include "attest/grant/grant.hpp"

#include <vector>

namespace casemate::grant {

[[nodiscard]] Result<std::vector<std::uint8_t>, cose::SignError> sign(const Claims& claims, const cose::Signer& key);

} // namespace casemate::grant
