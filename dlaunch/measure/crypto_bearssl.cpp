// SPDX-License-Identifier: Apache-2.0
// The façade over BearSSL: what the SLB and the hypervisor run.
// Invariant: no SSE instruction is executed. br_sha1_init, br_sha1_out, br_sha256_init and br_sha256_out hold some
// in Debian's build, so SHA-1 and SHA-256 start by set_state and end by our own padding (README of hypervisor/base).
#include "dlaunch/measure/bearssl_sha256.hpp"
#include "dlaunch/measure/crypto.hpp"
#include "hypervisor/base/check.hpp"

#include <bearssl/bearssl_ec.h>

#include <new>

namespace casemate::measure {

namespace {

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
        const ShaPadding padding{hash.sha1.count};
        br_sha1_update(&hash.sha1, padding.bytes.data(), padding.size);
        br_sha1_state(&hash.sha1, digest.storage.data());
        break;
    }
    case TPM_ALG_ID::SHA256: finish_sha256(hash.sha256, digest.storage.data()); break;
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
