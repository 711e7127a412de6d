// SPDX-License-Identifier: Apache-2.0
// The signed policy bundle (docs/interfaces/policy.md): a COSE_Sign1 that carries its owner's public key, or a COSE_Sign that carries
// a set of owners and has the signatures of as many of them as the set demands.
// Use in this order and no other: measure the raw bytes, open_bundle(), verify_bundle(), only then parse the payload.
// Who the owners are, the bundle says itself; that they are the right ones shows in PCR 18, where the set is measured.
// Who calls it: the SLB; the verifier for reference.json; the compiler writes bundles.
#pragma once

#include "attest/cose/sign.hpp"
#include "policy/model/owner_set.hpp"

namespace casemate::policy {

inline constexpr std::size_t max_bundle = 64 * 1024;
inline constexpr std::int64_t header_owner_key = -65550; // private COSE header parameter: OwnerSet
inline constexpr std::int64_t header_signer = 4;         // "kid" [RFC 9052 3.1]: the owner's place in the set, one byte

/// One number per rule. `threshold`: all is well but that owners' signatures are missing.
enum class BundleError : std::uint8_t { none = 0, too_large, shape, header, owner_key, signature, signer, threshold };

/// Views into the bundle. UNTRUSTED until verify_bundle().
struct Bundle {
    OwnerSet owners;
    cose::Sign message;

    /// Whose signature that is: his place in `owners`. They ascend.
    [[nodiscard]] std::uint8_t signer(std::size_t i) const { return message.is_sign1 ? 0 : message.signatures[i].protected_header.back(); }
    [[nodiscard]] ByteView payload() const { return message.payload; }
    [[nodiscard]] ByteView signature(std::size_t i = 0) const { return message.signatures[i].signature; }
};

/// Also opens a bundle that lacks signatures.
[[nodiscard]] Result<Bundle, BundleError> open_bundle(ByteView bytes);
/// The owners' signatures over the payload: first whether each that is there is good, then whether they are enough.
[[nodiscard]] Status<BundleError> verify_bundle(const Bundle& bundle);

/// {1: -7, -65550: owner's key} of one owner, {-65550: set} of a set; what encoded, within `out` (cose::max_body_protected bytes
/// suffice, for one owner cose::max_protected).
[[nodiscard]] ByteView encode_bundle_header(ByteView owners, ByteSpan out);
/// {1: -7, 4: place}: the header of one owner's signature.
[[nodiscard]] std::array<std::uint8_t, 6> signer_header(std::uint8_t place);

/// Host only.
[[nodiscard]] const char* describe(BundleError error);

} // namespace casemate::policy
