// SPDX-License-Identifier: Apache-2.0
// See reasons.hpp.
#include "attest/appraise/reasons.hpp"

namespace casemate::attest {

namespace {

constexpr std::size_t capacity = 160;
constexpr std::string_view cut_mark = "...";
constexpr std::size_t max_hex_bytes = capacity; // twice what fits, so that a longer value shows as cut

} // namespace

ReasonText text_of(std::string_view text) {
    ReasonText result;
    if (result.assign(text)) return result;
    char buffer[capacity];
    const std::size_t kept = capacity - cut_mark.size();
    for (std::size_t i = 0; i < capacity; ++i) buffer[i] = i < kept ? text[i] : cut_mark[i - kept];
    static_cast<void>(result.assign({buffer, capacity}));
    return result;
}

ReasonText text_of(std::uint64_t number) {
    char digits[20];
    std::size_t start = sizeof(digits);
    do {
        digits[--start] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return text_of(std::string_view{digits + start, sizeof(digits) - start});
}

ReasonText hex_of(ByteView bytes) {
    char digits[2 * max_hex_bytes];
    const std::size_t count = bytes.size() < max_hex_bytes ? bytes.size() : max_hex_bytes;
    for (std::size_t i = 0; i < count; ++i) {
        digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return text_of(std::string_view{digits, 2 * count});
}

void Reasons::add(AppraisalError error, ReasonText component, ReasonText expected, ReasonText seen) {
    if (!contains(error)) list_.add({error, component, expected, seen});
}

bool Reasons::contains(AppraisalError error) const {
    for (const Reason& reason : list_) {
        if (reason.error == error) return true;
    }
    return false;
}

} // namespace casemate::attest
