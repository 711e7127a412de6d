// SPDX-License-Identifier: Apache-2.0
// Implements encoding.hpp.
#include "attest/relay/encoding.hpp"

#include <array>

namespace casemate::relay {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t no_digit = 0xff;

/// The value of each character as a digit. A table: this is every byte of every log that a verifier reads.
constexpr std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return digits;
}
constexpr std::array<std::uint8_t, 256> digits = make_digits();

std::uint8_t digit_of(char character) { return digits[static_cast<std::uint8_t>(character)]; }

/// Four characters to three bytes. False when one is no digit: all such have a bit that no digit has.
bool decode_whole(const char* group, std::uint8_t* out) {
    const std::uint8_t a = digit_of(group[0]), b = digit_of(group[1]), c = digit_of(group[2]), d = digit_of(group[3]);
    out[0] = static_cast<std::uint8_t>(a << 2 | b >> 4);
    out[1] = static_cast<std::uint8_t>(b << 4 | c >> 2);
    out[2] = static_cast<std::uint8_t>(c << 6 | d);
    return ((a | b | c | d) & 0xc0) == 0;
}

/// The last four characters, `padding` of them '=', appended to `out`.
bool decode_padded(std::string_view group, std::size_t padding, std::vector<std::uint8_t>& out) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::uint8_t value = i < 4 - padding ? digit_of(group[i]) : std::uint8_t{0};
        if (value == no_digit) return false;
        bits = bits << 6 | value;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        const auto byte = static_cast<std::uint8_t>(bits >> (16 - 8 * i));
        if (i < 3 - padding) out.push_back(byte);
        else if (byte != 0) return false; // set bits under the padding
    }
    return true;
}

} // namespace

std::string to_hex(ByteView bytes) {
    std::string text(2 * bytes.size(), '0');
    char* out = text.data();
    for (const std::uint8_t byte : bytes) {
        *out++ = "0123456789abcdef"[byte >> 4];
        *out++ = "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string to_base64(ByteView bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '=');
    char* out = text.data();
    for (std::size_t at = 0; at < bytes.size(); at += 3, out += 4) {
        const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
        std::uint32_t bits = std::uint32_t{bytes[at]} << 16;
        if (count > 1) bits |= std::uint32_t{bytes[at + 1]} << 8;
        if (count > 2) bits |= bytes[at + 2];
        for (std::size_t i = 0; i <= count; ++i) out[i] = alphabet[bits >> (18 - 6 * i) & 63];
    }
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    const std::size_t whole = text.size() / 4 - (padding == 0 ? 0 : 1);
    std::vector<std::uint8_t> bytes(whole * 3);
    bool good = true;
    for (std::size_t i = 0; i < whole; ++i) good &= decode_whole(&text[4 * i], &bytes[3 * i]);
    if (!good || (padding != 0 && !decode_padded(text.substr(4 * whole), padding, bytes))) return std::nullopt;
    return bytes;
}

} // namespace casemate::relay
