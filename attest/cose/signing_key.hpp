// SPDX-License-Identifier: Apache-2.0
// Where a private P-256 key lives: in this process (signer.cpp), or in a device that signs digests (attest/keystore).
// Implementations are safe from several threads and never throw. A device may hang: attest/keystore bounds that. Called by cose::Signer only, which
// hashes, makes s low, and checks what a device returns.
#pragma once

#include "attest/cose/sign1.hpp"

#include <array>

namespace casemate::cose {

using PublicPoint = std::array<std::uint8_t, measure::p256_point_size>; // SEC1 uncompressed
using RawSignature = std::array<std::uint8_t, signature_size>;          // r || s

enum class SignError {
    none,
    cannot_read,
    not_p256_private_key,
    library,
    device,          // unreachable, removed, or refused the command
    device_silent,   // did not answer in time
    device_locked,   // the PIN or password was not accepted; it is not tried again, so that the device does not lock itself
    device_key,      // the key is gone, or another one is in its place
    wrong_signature, // the device returned one that is not by its key
    development_key, // one made with --development, and this is a production build
};

class SigningKey {
public:
    virtual ~SigningKey() = default;
    [[nodiscard]] virtual const PublicPoint& public_key() const = 0;
    /// ECDSA over a SHA-256 digest; s may lie in either half.
    [[nodiscard]] virtual Result<RawSignature, SignError> sign_digest(ByteView digest) const = 0;
    /// False for a key in this process: what it computes needs no second look.
    [[nodiscard]] virtual bool is_device() const = 0;
};

} // namespace casemate::cose
