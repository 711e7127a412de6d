// SPDX-License-Identifier: Apache-2.0
// See encoding.hpp.
#include "attest/verifier/encoding.hpp"

#include <array>

namespace casemate::verifier {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_base64_values() {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < base64_digits.size(); ++i)
        values[static_cast<std::uint8_t>(base64_digits[i])] = static_cast<std::int8_t>(i);
    return values;
}
constexpr auto base64_values = make_base64_values();

/// The 24 bits of four digits, of which the last `padding` ones count as zero; -1 for a foreign character.
std::int32_t base64_group(std::string_view four, unsigned padding) {
    std::int32_t bits = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const int value = i < 4 - padding ? base64_values[static_cast<std::uint8_t>(four[i])] : 0;
        if (value < 0) return -1;
        bits = bits << 6 | value;
    }
    return bits;
}

} // namespace

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
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

std::string to_base64(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < count ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? base64_digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const std::string_view four = text.substr(i, 4);
        const bool last = i + 4 == text.size();
        const unsigned padding = !last ? 0 : four.ends_with("==") ? 2 : four.ends_with("=") ? 1 : 0;
        const std::int32_t bits = base64_group(four, padding);
        if (bits < 0 || (bits & ((1 << (8 * padding)) - 1)) != 0) return std::nullopt;
        for (unsigned k = 0; k < 3 - padding; ++k) bytes.push_back(static_cast<std::uint8_t>(bits >> (16 - 8 * k)));
    }
    return bytes;
}

} // namespace casemate::verifier
