// SPDX-License-Identifier: Apache-2.0
// See encoding.hpp.
#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {

std::optional<Bytes> from_hex(std::string_view text) {
    constexpr std::string_view hex_digits = "0123456789abcdef";
    if (text.size() % 2 != 0) return std::nullopt;
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::size_t high = hex_digits.find(text[i]);
        const std::size_t low = hex_digits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return bytes;
}

} // namespace casemate::verifier
