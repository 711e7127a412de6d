// SPDX-License-Identifier: Apache-2.0
// SHA-1 and SHA-256 of BearSSL without the two ends that hold SSE instructions in Debian's build: br_*_init and br_*_out.
// Only for the two files behind the cryptographic façades.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <bearssl/bearssl_hash.h>

#include <array>

namespace casemate::measure {

/// Initial hash values [FIPS 180-4 5.3.1, 5.3.3].
inline constexpr std::uint8_t sha1_start[20] = {0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, 0x98, 0xba,
                                                0xdc, 0xfe, 0x10, 0x32, 0x54, 0x76, 0xc3, 0xd2, 0xe1, 0xf0};
inline constexpr std::uint8_t sha256_start[32] = {
    0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3, 0x72, 0xa5, 0x4f, 0xf5, 0x3a,
    0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05, 0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19};

/// The end of a message of `length` bytes: a one bit, zeros, the length in bits [FIPS 180-4 5.1.1].
struct ShaPadding {
    explicit ShaPadding(std::uint64_t length) : size{(length % 64 < 56 ? 64 : 128) - length % 64} {
        BigEndianWriter count{ByteSpan{bytes}.subspan(size - 8, 8)};
        count.u64(length * 8);
    }
    std::array<std::uint8_t, 128> bytes{0x80};
    std::size_t size;
};

/// The digest of what `context` has seen; the context is used up.
inline void finish_sha256(br_sha256_context& context, void* digest) {
    const ShaPadding padding{context.count};
    br_sha256_update(&context, padding.bytes.data(), padding.size);
    br_sha256_state(&context, digest);
}

} // namespace casemate::measure
