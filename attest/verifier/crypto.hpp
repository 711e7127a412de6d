// SPDX-License-Identifier: Apache-2.0
// The few OpenSSL primitives that the verifier needs, with owning handles. Host only.
// An OpenSSL call that fails for another reason than its input throws CryptoFailure: the request ends as deny.
#pragma once

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "attest/verifier/bytes.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"

namespace casemate::verifier {

class CryptoFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using PublicKey = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;

inline constexpr std::size_t sha256_size = 32;
using Sha256 = std::array<std::uint8_t, sha256_size>;

[[nodiscard]] Sha256 sha256(ByteView data);
[[nodiscard]] Sha256 hmac_sha256(ByteView key, ByteView data);
/// From the operating system's generator.
[[nodiscard]] Bytes random_bytes(std::size_t count);
/// AES-128 in CFB mode with a zero IV [TPM2-P1 24.4].
[[nodiscard]] Bytes aes128_cfb_encrypt(ByteView key, ByteView plain);
/// RSAES-OAEP with SHA-256 and a label.
[[nodiscard]] Bytes rsa_oaep_encrypt(EVP_PKEY& key, ByteView label, ByteView plain);

/// Throws CryptoFailure with OpenSSL's own words when `done` is false.
void require(bool done, const char* what);

} // namespace casemate::verifier
