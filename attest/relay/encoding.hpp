// SPDX-License-Identifier: Apache-2.0
// Bytes as text in JSON: hexadecimal (lower case) and base64 (RFC 4648 section 4, padded).
// Decoding accepts one encoding of a value only: no white space, no missing padding, no set bits under the padding.
// Who calls it: casemate-agent. Pure.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace casemate::relay {

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] std::string to_base64(ByteView bytes);
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

} // namespace casemate::relay
