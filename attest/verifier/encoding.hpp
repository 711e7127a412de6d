// SPDX-License-Identifier: Apache-2.0
// Hexadecimal (lower case) and base64 (RFC 4648 section 4, padded). Decoding accepts one encoding of a value only:
// no upper-case hex, no white space, no missing padding, no set bits under the padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "attest/verifier/bytes.hpp"

namespace casemate::verifier {

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);
[[nodiscard]] std::string to_base64(ByteView bytes);
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

} // namespace casemate::verifier
