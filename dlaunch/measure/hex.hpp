// SPDX-License-Identifier: Apache-2.0
// Bytes as lower-case hexadecimal digits. Host only.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <string>

namespace casemate::measure {

[[nodiscard]] inline std::string to_hex(ByteView bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

} // namespace casemate::measure
