// SPDX-License-Identifier: Apache-2.0
// All the cryptography of the TCB behind one façade: SHA-1/256/384/512 and ECDSA P-256 verification.
// Link seam: crypto_bearssl.cpp in the SLB and the hypervisor, crypto_openssl.cpp on the host; tests run both.
// Freestanding callers: FS base must point at stack_guard_block first (hypervisor/base/README.md).
// Not for signing: the only signers are host tools.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::measure {

/// Incremental hash. The algorithm must be a known one (CHECK); after finish() only destruction is allowed.
class Hasher {
public:
    explicit Hasher(TPM_ALG_ID algorithm);
    void update(ByteView bytes);
    [[nodiscard]] Digest finish();

private:
    TPM_ALG_ID algorithm_;
    alignas(8) std::array<std::uint8_t, 256> state_; // the library's context, no allocation
};

[[nodiscard]] Digest hash(TPM_ALG_ID algorithm, ByteView bytes);
[[nodiscard]] Sha256Digest sha256(ByteView bytes);
/// The same bytes in each bank, in the banks' order; each bank reads them once.
[[nodiscard]] DigestSet hash_all(const Banks& banks, ByteView bytes);

inline constexpr std::size_t p256_point_size = 65;      // SEC1 uncompressed: 04 || x || y
inline constexpr std::size_t p256_signature_size = 64;  // r || s, big-endian

enum class KeyError { malformed = 1 };

/// A public key, parsed once; with OpenSSL parsing costs a twentieth of a verification.
class P256PublicKey {
public:
    /// Refuses what is not an uncompressed point. That the point is on the curve is checked here or, at the
    /// latest, by verify(), which then fails.
    [[nodiscard]] static Result<P256PublicKey, KeyError> create(ByteView sec1);

    P256PublicKey(const P256PublicKey& other);
    P256PublicKey(P256PublicKey&& other) noexcept;
    P256PublicKey& operator=(P256PublicKey other) noexcept;
    ~P256PublicKey();

    /// True when `signature` (r || s) over the 32-byte digest is this key's. Accepts s and n - s alike: a caller
    /// that needs one encoding asks signature_is_low_s() too. Safe to call from several threads.
    [[nodiscard]] bool verify(ByteView digest, ByteView signature) const;
    [[nodiscard]] ByteView sec1() const { return point_; }

private:
    P256PublicKey() = default;

    std::array<std::uint8_t, p256_point_size> point_{};
    void* handle_ = nullptr; // the library's parsed key, where it has one
};

/// s in the lower half of the group order and not zero: of the two valid encodings the one that we accept.
[[nodiscard]] bool signature_is_low_s(ByteView signature);

} // namespace casemate::measure
