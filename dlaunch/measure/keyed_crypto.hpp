// SPDX-License-Identifier: Apache-2.0
// The rest of the TCB's cryptography: what a session with a TPM needs. The same link seam as crypto.hpp
// (keyed_crypto_bearssl.cpp, keyed_crypto_openssl.cpp), the same rules for freestanding callers.
// Used by tpm_session.cpp and, on the host, by what seals secrets. Not for the launch itself.
#pragma once

#include "dlaunch/measure/crypto.hpp"

namespace casemate::measure {

/// HMAC [RFC 2104] with SHA-256.
[[nodiscard]] Sha256Digest hmac_sha256(ByteView key, ByteView message);

inline constexpr std::size_t rsa2048_size = 256; // of a modulus and of what is encrypted
using Rsa2048Block = std::array<std::uint8_t, rsa2048_size>;

/// RSAES-OAEP [RFC 8017 7.1.1] with SHA-256 in both places, for exponent 65537 and a big-endian modulus of 2,048 bits.
/// `seed`: 32 fresh random bytes (OpenSSL takes its own instead). False when modulus, message or seed has no such size.
[[nodiscard]] bool rsa_oaep_encrypt(ByteView modulus, ByteView label, ByteView message, ByteView seed, Rsa2048Block& out);

/// Overwrites what must not stay in memory; is never optimised away.
void wipe(ByteSpan secret);

} // namespace casemate::measure
