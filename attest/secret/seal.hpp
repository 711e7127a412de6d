// SPDX-License-Identifier: Apache-2.0
// The owner's side of a sealed secret, without a TPM: a sealed object made to be imported under one platform's endorsement key
// [TPM2-P1 23.3], and approvals of states. Host only; the plaintext never leaves the caller's memory but encrypted.
#pragma once

#include "attest/cose/signer.hpp"
#include "attest/secret/messages.hpp"

#include <string>
#include <vector>

namespace casemate::secret {

using Bytes = std::vector<std::uint8_t>;

enum class SealError { none, too_long, empty, name, modulus, library };

[[nodiscard]] const char* describe(SealError error);

/// Where a secret goes.
struct Destination {
    std::string name, vm;
    std::uint32_t parent = 0x81010001; // where manufacturers put the RSA endorsement key [TCG-EK 2.2.1.5]
    Bytes modulus;                     // of that key
};

/// The message of messages.hpp, signed by the owner. `secret`: 1 to max_secret bytes.
[[nodiscard]] Result<Bytes, SealError> seal(const Destination& destination, ByteView secret, const cose::Signer& owner);
/// The owner's word that secrets of `vm` may be used in these circumstances.
[[nodiscard]] Result<Bytes, SealError> approve(std::string_view vm, const Circumstances& circumstances, const cose::Signer& owner);

} // namespace casemate::secret
