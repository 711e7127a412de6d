// SPDX-License-Identifier: Apache-2.0
// Signs COSE_Sign1 messages with a P-256 private key through OpenSSL. Host tools only (policy compiler, verifier):
// no private key ever comes near the TCB.
#pragma once

#include "attest/cose/sign1.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace casemate::cose {

enum class SignError { none, cannot_read, not_p256_private_key, library, development_key };

[[nodiscard]] const char* describe(SignError error);

/// The line before the PEM block by which `casemate-keys init --development` marks its keys. A build with CASEMATE_PRODUCTION takes none of them.
inline constexpr std::string_view development_mark = "Casemate development key: not for production\n";

class Signer {
public:
    [[nodiscard]] static Result<Signer, SignError> from_pem_file(const std::string& path);
    [[nodiscard]] static Result<Signer, SignError> from_pem(const std::string& pem);
    /// A new key that exists in memory only; for tests.
    [[nodiscard]] static Result<Signer, SignError> generate();

    /// SEC1 uncompressed.
    [[nodiscard]] const std::array<std::uint8_t, measure::p256_point_size>& public_key() const { return public_key_; }
    /// r || s, s in the lower half of the order.
    [[nodiscard]] Result<std::array<std::uint8_t, signature_size>, SignError> sign(const SignedBytes& bytes) const;
    /// Of `first` followed by `second`: for what is no COSE message, such as an approval that a TPM checks. The caller sees to it
    /// that no COSE message begins so.
    [[nodiscard]] Result<std::array<std::uint8_t, signature_size>, SignError> sign(ByteView first, ByteView second) const;
    /// The whole message.
    [[nodiscard]] Result<std::vector<std::uint8_t>, SignError> sign_message(ByteView protected_header,
                                                                            ByteView payload) const;

private:
    using Key = std::shared_ptr<evp_pkey_st>;
    static Result<Signer, SignError> adopt(Key key);

    Key key_;
    std::array<std::uint8_t, measure::p256_point_size> public_key_{};
};

/// The SEC1 point of a PEM public key file.
[[nodiscard]] Result<std::array<std::uint8_t, measure::p256_point_size>, SignError>
read_public_key(const std::string& path);

} // namespace casemate::cose
