// SPDX-License-Identifier: Apache-2.0
// Signs COSE_Sign1 messages with a P-256 private key: in this process through OpenSSL, or in a device (signing_key.hpp).
// Host tools only (policy compiler, verifier): no private key ever comes near the TCB.
#pragma once

#include "attest/cose/signing_key.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace casemate::cose {

[[nodiscard]] const char* describe(SignError error);

/// The line before the PEM block by which `casemate-keys init --development` marks its keys. A build with CASEMATE_PRODUCTION takes none of them.
inline constexpr std::string_view development_mark = "Casemate development key: not for production\n";

/// True when this build refuses the key in that file, whoever reads it: it is for production, and the key is marked.
[[nodiscard]] bool refuses_key_file(const std::string& path);

class Signer {
public:
    [[nodiscard]] static Result<Signer, SignError> from_pem_file(const std::string& path);
    [[nodiscard]] static Result<Signer, SignError> from_pem(const std::string& pem);
    /// A new key that exists in memory only; for tests.
    [[nodiscard]] static Result<Signer, SignError> generate();
    /// Its public key must be a point of P-256: `not_p256_private_key` otherwise.
    [[nodiscard]] static Result<Signer, SignError> with(std::shared_ptr<const SigningKey> key);

    [[nodiscard]] const PublicPoint& public_key() const { return key_->public_key(); }
    /// r || s, s in the lower half of the order.
    [[nodiscard]] Result<RawSignature, SignError> sign(const SignedBytes& bytes) const;
    /// Of `first` followed by `second`: for what is no COSE message, such as an approval that a TPM checks. The caller sees to it
    /// that no COSE message begins so.
    [[nodiscard]] Result<RawSignature, SignError> sign(ByteView first, ByteView second) const;
    /// The whole message.
    [[nodiscard]] Result<std::vector<std::uint8_t>, SignError> sign_message(ByteView protected_header,
                                                                            ByteView payload) const;

private:
    std::shared_ptr<const SigningKey> key_;
    std::shared_ptr<const measure::P256PublicKey> checked_by_; // for a device only
};

/// The SEC1 point of a PEM public key file.
[[nodiscard]] Result<PublicPoint, SignError> read_public_key(const std::string& path);

} // namespace casemate::cose
