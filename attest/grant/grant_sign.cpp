// SPDX-License-Identifier: Apache-2.0
// See grant_sign.hpp.
#include "attest/grant/grant_sign.hpp"

namespace casemate::grant {

Result<std::vector<std::uint8_t>, cose::SignError> sign(const Claims& claims, const cose::Signer& key) {
    std::array<std::uint8_t, max_message> buffer{};
    return key.sign_message(protected_header, encode_claims(claims, buffer));
}

} // namespace casemate::grant
