// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/gdb_packet.hpp"

namespace casemate::model {
namespace {

constexpr char digits[] = "0123456789abcdef";

std::uint8_t checksum(std::string_view payload) {
    std::uint8_t sum = 0;
    for (const char c : payload) sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(c));
    return sum;
}

int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

} // namespace

std::string encode_packet(std::string_view payload) {
    const std::uint8_t sum = checksum(payload);
    return "$" + std::string{payload} + "#" + digits[sum >> 4] + digits[sum & 15];
}

std::optional<std::string> PacketDecoder::next() {
    while (true) {
        const std::size_t start = buffer_.find('$');
        if (start == std::string::npos) {
            buffer_.clear();
            return std::nullopt;
        }
        buffer_.erase(0, start);
        const std::size_t end = buffer_.find('#');
        if (end == std::string::npos || buffer_.size() < end + 3) return std::nullopt;
        const std::string payload = buffer_.substr(1, end - 1);
        const auto sum = from_hex(std::string_view{buffer_}.substr(end + 1, 2));
        buffer_.erase(0, end + 3);
        if (sum && sum->front() == checksum(payload)) return payload;
    }
}

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit_value(text[i]);
        const int low = digit_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return bytes;
}

} // namespace casemate::model
