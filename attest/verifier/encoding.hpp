// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64 under the verifier's names; relay/encoding.hpp has the codec that agent and verifier share.
#pragma once

#include <optional>
#include <string_view>

#include "attest/relay/encoding.hpp"
#include "attest/verifier/bytes.hpp"

namespace casemate::verifier {

using relay::from_base64;
using relay::to_base64;
using relay::to_hex;

/// Lower case only, whole bytes.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

} // namespace casemate::verifier
