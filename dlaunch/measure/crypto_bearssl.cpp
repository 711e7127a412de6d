// SPDX-License-Identifier: Apache-2.0
// The façade over BearSSL: what the SLB and the hypervisor run.
// Invariant: no SSE instruction is executed. br_sha1_init, br_sha1_out, br_sha256_init and br_sha256_out hold some
// in Debian's build, so SHA-1 and SHA-256 start by set_state and end by our own padding (README of hypervisor/base).
#include "dlaunch/measure/crypto.hpp"
#include "hypervisor/base/check.hpp"

#include <bearssl/bearssl_ec.h>
#include <bearssl/bearssl_hash.h>

#include <new>

namespace casemate::measure {

namespace {

/// Initial hash values [FIPS 180-4 5.3.1, 5.3.3].
constexpr std::uint8_t sha1_start[20] = {0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, 0x98, 0xba,
                                         0xdc, 0xfe, 0x10, 0x32, 0x54, 0x76, 0xc3, 0xd2, 0xe1, 0xf0};
constexpr std::uint8_t sha256_start[32] = {
    0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3, 0x72, 0xa5, 0x4f, 0xf5, 0x3a,
    0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05, 0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19};

union Context {
    br_sha1_context sha1;
    br_sha256_context sha256;
    br_sha384_context sha384;
    br_sha512_context sha512;
};

template <typename State>
Context& context(State& state) {
    static_assert(sizeof(Context) <= sizeof(State));
    // SAFETY: the constructor of Hasher made a Context in these bytes.
    return *std::launder(reinterpret_cast<Context*>(state.data()));
}

/// The end of a message of `length` bytes: a one bit, zeros, the length in bits [FIPS 180-4 5.1.1].
struct Padding {
    explicit Padding(std::uint64_t length) : size{(length % 64 < 56 ? 64 : 128) - length % 64} {
        BigEndianWriter count{ByteSpan{bytes}.subspan(size - 8, 8)};
        count.u64(length * 8);
    }
    std::array<std::uint8_t, 128> bytes{0x80};
    std::size_t size;
};

} // namespace

Hasher::Hasher(TPM_ALG_ID algorithm) : algorithm_{algorithm} {
    CHECK(digest_size(algorithm) != 0);
    // SAFETY: placement into our own storage, which is large and aligned enough (asserted in context()).
    auto* made = new (state_.data()) Context;
    switch (algorithm) {
    case TPM_ALG_ID::SHA1: br_sha1_set_state(&made->sha1, sha1_start, 0); return;
    case TPM_ALG_ID::SHA256: br_sha256_set_state(&made->sha256, sha256_start, 0); return;
    case TPM_ALG_ID::SHA384: br_sha384_init(&made->sha384); return;
    case TPM_ALG_ID::SHA512: br_sha512_init(&made->sha512); return;
    }
}

void Hasher::update(ByteView bytes) {
    Context& hash = context(state_);
    switch (algorithm_) {
    case TPM_ALG_ID::SHA1: br_sha1_update(&hash.sha1, bytes.data(), bytes.size()); return;
    case TPM_ALG_ID::SHA256: br_sha256_update(&hash.sha256, bytes.data(), bytes.size()); return;
    case TPM_ALG_ID::SHA384: br_sha384_update(&hash.sha384, bytes.data(), bytes.size()); return;
    case TPM_ALG_ID::SHA512: br_sha512_update(&hash.sha512, bytes.data(), bytes.size()); return;
    }
}

Digest Hasher::finish() {
    Context& hash = context(state_);
    Digest digest{algorithm_, {}};
    switch (algorithm_) {
    case TPM_ALG_ID::SHA1: {
        const Padding padding{hash.sha1.count};
        br_sha1_update(&hash.sha1, padding.bytes.data(), padding.size);
        br_sha1_state(&hash.sha1, digest.storage.data());
        break;
    }
    case TPM_ALG_ID::SHA256: {
        const Padding padding{hash.sha256.count};
        br_sha256_update(&hash.sha256, padding.bytes.data(), padding.size);
        br_sha256_state(&hash.sha256, digest.storage.data());
        break;
    }
    case TPM_ALG_ID::SHA384: br_sha384_out(&hash.sha384, digest.storage.data()); break;
    case TPM_ALG_ID::SHA512: br_sha512_out(&hash.sha512, digest.storage.data()); break;
    }
    return digest;
}

Result<P256PublicKey, KeyError> P256PublicKey::create(ByteView sec1) {
    if (sec1.size() != p256_point_size || sec1[0] != 0x04) return Failure{KeyError::malformed};
    P256PublicKey key;
    std::memcpy(key.point_.data(), sec1.data(), p256_point_size);
    return key;
}

// BearSSL works on the point itself: nothing to share, nothing to free.
P256PublicKey::P256PublicKey(const P256PublicKey& other) : point_{other.point_} {}
P256PublicKey::P256PublicKey(P256PublicKey&& other) noexcept : point_{other.point_} {}
P256PublicKey& P256PublicKey::operator=(P256PublicKey other) noexcept {
    point_ = other.point_;
    return *this;
}
P256PublicKey::~P256PublicKey() = default;

bool P256PublicKey::verify(ByteView digest, ByteView signature) const {
    if (digest.size() != 32 || signature.size() != p256_signature_size) return false;
    auto point = point_; // br_ec_public_key wants a mutable pointer
    const br_ec_public_key key{BR_EC_secp256r1, point.data(), point.size()};
    return br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, digest.data(), digest.size(), &key, signature.data(),
                                 signature.size()) == 1;
}

} // namespace casemate::measure
