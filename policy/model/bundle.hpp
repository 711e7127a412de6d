// SPDX-License-Identifier: Apache-2.0
// The signed policy bundle (docs/interfaces/policy.md): a COSE_Sign1 that carries its owner's public key.
// Use in this order and no other: measure the raw bytes, open_bundle(), verify_bundle(), only then parse the payload.
// Who the owner is, the bundle says itself; that it is the right one shows in PCR 18, where the key is measured.
// Who calls it: the SLB; the verifier for reference.json; the compiler writes bundles.
#pragma once

#include "attest/cose/sign1.hpp"
#include "policy/model/policy.hpp"

namespace casemate::policy {

inline constexpr std::size_t max_bundle = 64 * 1024;
inline constexpr std::int64_t header_owner_key = -65550; // private COSE header parameter: SEC1 point

/// One number per rule.
enum class BundleError : std::uint8_t { none = 0, too_large, shape, header, owner_key, signature };

/// Views into the bundle. UNTRUSTED until verify_bundle().
struct Bundle {
    cose::Sign1 message;
    ByteView owner_key; // public_key_size bytes

    [[nodiscard]] ByteView payload() const { return message.payload; }
    [[nodiscard]] ByteView signature() const { return message.signature; }
    [[nodiscard]] cose::SignedBytes signed_bytes() const { return {message.protected_header, message.payload}; }
};

[[nodiscard]] Result<Bundle, BundleError> open_bundle(ByteView bytes);
/// The owner's signature over the payload.
[[nodiscard]] Status<BundleError> verify_bundle(const Bundle& bundle);

/// {1: -7, -65550: owner key}; what encoded, within `out` (cose::max_protected bytes suffice).
[[nodiscard]] ByteView encode_bundle_header(ByteView owner_key, ByteSpan out);

/// Host only.
[[nodiscard]] const char* describe(BundleError error);

} // namespace casemate::policy
