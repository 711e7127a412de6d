// SPDX-License-Identifier: Apache-2.0
// The façade over OpenSSL 3: what host tools and the verifier run.
// Hashes use the low-level functions: their context is a plain value, they cannot fail, and a replay of many short
// extends is several times faster than with EVP contexts. So do keys: with one group for all of them a point becomes a key
// in 1.5 us, where EVP, which makes the group anew each time, takes longer than a verification.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"
#include "hypervisor/base/check.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>

#include <memory>
#include <new>

namespace casemate::measure {

namespace {

union Context {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512; // SHA-384 too
};

template <typename State>
Context& context(State& state) {
    static_assert(sizeof(Context) <= sizeof(State));
    // SAFETY: the constructor of Hasher made a Context in these bytes.
    return *std::launder(reinterpret_cast<Context*>(state.data()));
}

using Group = std::unique_ptr<EC_GROUP, Releaser<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Releaser<EC_POINT_free>>;
using Key = std::unique_ptr<EC_KEY, Releaser<EC_KEY_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;

const EC_GROUP* p256() {
    static const Group group{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    return group.get();
}

/// Null when the point is not on the curve. The group has no cofactor: every point on it is a good key.
EC_KEY* parse(ByteView sec1) {
    const EC_GROUP* group = p256();
    if (group == nullptr) return nullptr;
    const Point point{EC_POINT_new(group)};
    Key key{EC_KEY_new()};
    if (!point || !key || EC_POINT_oct2point(group, point.get(), sec1.data(), sec1.size(), nullptr) != 1 ||
        EC_KEY_set_group(key.get(), group) != 1 || EC_KEY_set_public_key(key.get(), point.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return key.release();
}

/// r || s as numbers; null when there is no memory.
Signature to_signature(ByteView raw) {
    Signature signature{ECDSA_SIG_new()};
    BIGNUM* r = BN_bin2bn(raw.data(), 32, nullptr);
    BIGNUM* s = BN_bin2bn(raw.data() + 32, 32, nullptr);
    if (signature && ECDSA_SIG_set0(signature.get(), r, s) == 1) return signature;
    BN_free(r);
    BN_free(s);
    return nullptr;
}

} // namespace

Hasher::Hasher(TPM_ALG_ID algorithm) : algorithm_{algorithm} {
    CHECK(digest_size(algorithm) != 0);
    // SAFETY: placement into our own storage, which is large and aligned enough (asserted in context()).
    auto* made = new (state_.data()) Context;
    switch (algorithm) {
    case TPM_ALG_ID::SHA1: SHA1_Init(&made->sha1); return;
    case TPM_ALG_ID::SHA256: SHA256_Init(&made->sha256); return;
    case TPM_ALG_ID::SHA384: SHA384_Init(&made->sha512); return;
    case TPM_ALG_ID::SHA512: SHA512_Init(&made->sha512); return;
    }
}

void Hasher::update(ByteView bytes) {
    Context& hash = context(state_);
    switch (algorithm_) {
    case TPM_ALG_ID::SHA1: SHA1_Update(&hash.sha1, bytes.data(), bytes.size()); return;
    case TPM_ALG_ID::SHA256: SHA256_Update(&hash.sha256, bytes.data(), bytes.size()); return;
    case TPM_ALG_ID::SHA384: SHA384_Update(&hash.sha512, bytes.data(), bytes.size()); return;
    case TPM_ALG_ID::SHA512: SHA512_Update(&hash.sha512, bytes.data(), bytes.size()); return;
    }
}

Digest Hasher::finish() {
    Context& hash = context(state_);
    Digest digest{algorithm_, {}};
    switch (algorithm_) {
    case TPM_ALG_ID::SHA1: SHA1_Final(digest.storage.data(), &hash.sha1); break;
    case TPM_ALG_ID::SHA256: SHA256_Final(digest.storage.data(), &hash.sha256); break;
    case TPM_ALG_ID::SHA384: SHA384_Final(digest.storage.data(), &hash.sha512); break;
    case TPM_ALG_ID::SHA512: SHA512_Final(digest.storage.data(), &hash.sha512); break;
    }
    return digest;
}

Result<P256PublicKey, KeyError> P256PublicKey::create(ByteView sec1) {
    if (sec1.size() != p256_point_size || sec1[0] != 0x04) return Failure{KeyError::malformed};
    P256PublicKey key;
    std::memcpy(key.point_.data(), sec1.data(), p256_point_size);
    key.handle_ = parse(sec1);
    if (key.handle_ == nullptr) return Failure{KeyError::malformed};
    return key;
}

P256PublicKey::P256PublicKey(const P256PublicKey& other) : point_{other.point_}, handle_{other.handle_} {
    if (handle_ != nullptr) EC_KEY_up_ref(static_cast<EC_KEY*>(handle_));
}

P256PublicKey::P256PublicKey(P256PublicKey&& other) noexcept
    : point_{other.point_}, handle_{std::exchange(other.handle_, nullptr)} {}

P256PublicKey& P256PublicKey::operator=(P256PublicKey other) noexcept {
    point_ = other.point_;
    std::swap(handle_, other.handle_);
    return *this;
}

P256PublicKey::~P256PublicKey() { EC_KEY_free(static_cast<EC_KEY*>(handle_)); }

bool P256PublicKey::verify(ByteView digest, ByteView signature) const {
    if (handle_ == nullptr || digest.size() != 32 || signature.size() != p256_signature_size) return false;
    const Signature parsed = to_signature(signature);
    const bool good = parsed && ECDSA_do_verify(digest.data(), static_cast<int>(digest.size()), parsed.get(),
                                                static_cast<EC_KEY*>(handle_)) == 1;
    if (!good) ERR_clear_error();
    return good;
}

} // namespace casemate::measure
