// SPDX-License-Identifier: Apache-2.0
// Grants: the verifier's signed word that one VM may hold one device for a while (docs/interfaces/grant.md).
// A CWT [RFC 8392] in COSE_Sign1, ES256, one accepted encoding. Pure: no clock, no state; whether a verified grant fits
// the state of the device is for hypervisor/custody to say.
// Who calls it: the verifier encodes and signs (grant_sign.hpp), the hypervisor verifies.
#pragma once

#include "attest/cose/sign1.hpp"
#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/device_address.hpp"
#include "hypervisor/base/result.hpp"

#include <array>
#include <optional>

namespace casemate::grant {

using Id = std::array<std::uint8_t, 16>;
using Digest = measure::Sha256Digest;

inline constexpr std::size_t max_message = 512;
inline constexpr std::uint64_t max_lease_seconds = 86400;

/// bootstrap: a grant for a launch to come, for which its seal stands (launch_id and gate_nonce are zeros).
enum class Type : std::uint8_t { grant = 1, renewal = 2, revocation = 3, bootstrap = 4 };

struct Claims {
    Id id{};
    Type type = Type::grant;
    Digest platform_id{};
    Digest launch_id{};
    Digest gate_nonce{};
    Digest vm_id{};
    DeviceAddress device;
    std::uint64_t rights = 0;
    std::uint64_t lease = 0; // seconds
    std::uint64_t epoch = 0;
    std::uint64_t evidence_clock = 0; // ms of the TPM's clock when the evidence was quoted: the lease runs from there
    bool operator==(const Claims&) const = default;
};

/// Why a message was refused; the numbers are wire contract (control device, console).
enum class GrantError : std::uint8_t {
    none = 0,
    shape = 1,
    not_canonical = 2,
    algorithm = 3,
    signature = 4,
    launch = 5,
    no_such_gate = 6,
    stale_gate_nonce = 7,
    vm_id = 8,
    device = 9,
    epoch = 10,
    lease = 11,
    rights = 12,
    used_before = 13,
    evidence_order = 14, // not newer than the evidence that was accepted last
    not_assigned = 15,
    tainted = 16,
    launch_not_measured = 17,
    type = 18,
    log_full = 19,
    evidence_age = 20, // older than the lease, of a time to come, or of unknown age
    not_opened = 21,   // a bootstrap grant that no TPM has opened here
    bootstrap_late = 22, // a bootstrap grant, and a grant was accepted in this launch before
};

/// The verifier-grant keys of the measured policy: one, or two while the verifier changes its key; a grant by either counts.
class Keys {
public:
    Keys(const measure::P256PublicKey& only) : present_{only} {} // NOLINT: one key is a set of keys
    /// `next` is looked at only if `has_next`. Fails when one is no point of the curve.
    [[nodiscard]] static Result<Keys, measure::KeyError> create(ByteView present, bool has_next, ByteView next);
    [[nodiscard]] bool verify(const cose::Sign1& message) const;

private:
    measure::P256PublicKey present_;
    std::optional<measure::P256PublicKey> next_{};
};

/// Claims of a message whose signature was verified. Only verify() makes one.
class VerifiedGrant {
public:
    [[nodiscard]] const Claims& claims() const { return claims_; }

private:
    friend Result<VerifiedGrant, GrantError> verify(ByteView message, const Keys& keys);
    explicit VerifiedGrant(const Claims& claims) : claims_{claims} {}
    Claims claims_;
};

/// UNTRUSTED message; `keys` are those of the measured policy. Checks in this order: shape, algorithm,
/// canonical encoding, type, signature.
[[nodiscard]] Result<VerifiedGrant, GrantError> verify(ByteView message, const Keys& keys);

/// The claims as deterministic CBOR; empty when `out` is too small (max_message suffices).
[[nodiscard]] ByteView encode_claims(const Claims& claims, ByteSpan out);
/// The whole message around encoded claims and a signature.
[[nodiscard]] ByteView encode_message(ByteView claims, ByteView signature, ByteSpan out);

/// The protected header of every grant: {1: -7}.
inline constexpr std::array<std::uint8_t, 3> protected_header{0xa1, 0x01, 0x26};

/// The refusal as a sentence. Host only.
[[nodiscard]] const char* describe(GrantError error);

} // namespace casemate::grant
