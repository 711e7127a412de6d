// SPDX-License-Identifier: Apache-2.0
// Base64 from a JSON string, by OpenSSL. Anything that is not one gives no bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <cstdint>
#include <string>
#include <vector>

namespace casemate::session {

[[nodiscard]] inline std::vector<std::uint8_t> from_base64(const nlohmann::json& value) {
    if (!value.is_string()) return {};
    const std::string text = value.get<std::string>();
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
    const int size = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return {};
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

} // namespace casemate::session
