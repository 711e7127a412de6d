// SPDX-License-Identifier: Apache-2.0
// The owned byte string of the verifier and its big-endian builder (TPM wire order [TPM2-P1 4.2]).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "hypervisor/base/bytes.hpp"

namespace casemate::verifier {

using Bytes = std::vector<std::uint8_t>;

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
/// SAFETY: char and std::uint8_t alias.
inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline Bytes concatenate(std::initializer_list<ByteView> parts) {
    Bytes all;
    for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

inline Bytes big_endian(std::uint32_t value, unsigned width) {
    Bytes bytes(width);
    for (unsigned i = 0; i < width; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
    return bytes;
}

/// TPM2B: a 16-bit size and as many bytes. Only for contents below 64 KiB.
inline Bytes tpm2b(ByteView contents) {
    return concatenate({big_endian(static_cast<std::uint32_t>(contents.size()), 2), contents});
}

} // namespace casemate::verifier
