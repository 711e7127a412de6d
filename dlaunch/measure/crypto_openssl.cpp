// SPDX-License-Identifier: Apache-2.0
// The façade over OpenSSL 3: what host tools and the verifier run.
// Hashes use the low-level functions: their context is a plain value, they cannot fail, and a replay of many short
// extends is several times faster than with EVP contexts. Keys use EVP.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"
#include "hypervisor/base/check.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>
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

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;

EVP_PKEY* parse(ByteView sec1) {
    const KeyContext maker{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    char group[] = "prime256v1";
    // SAFETY: OSSL_PARAM takes a mutable pointer but fromdata() only reads.
    auto* point = const_cast<std::uint8_t*>(sec1.data());
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sec1.size()),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY* key = nullptr;
    if (!maker || EVP_PKEY_fromdata_init(maker.get()) != 1) return nullptr;
    if (EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
    return key;
}

/// r || s as the DER that EVP wants; at most 72 bytes, 0 on failure.
std::size_t to_der(ByteView raw, std::array<std::uint8_t, 80>& der) {
    const Signature signature{ECDSA_SIG_new()};
    BIGNUM* r = BN_bin2bn(raw.data(), 32, nullptr);
    BIGNUM* s = BN_bin2bn(raw.data() + 32, 32, nullptr);
    if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    std::uint8_t* end = der.data();
    const int size = i2d_ECDSA_SIG(signature.get(), &end);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
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
    if (handle_ != nullptr) EVP_PKEY_up_ref(static_cast<EVP_PKEY*>(handle_));
}

P256PublicKey::P256PublicKey(P256PublicKey&& other) noexcept
    : point_{other.point_}, handle_{std::exchange(other.handle_, nullptr)} {}

P256PublicKey& P256PublicKey::operator=(P256PublicKey other) noexcept {
    point_ = other.point_;
    std::swap(handle_, other.handle_);
    return *this;
}

P256PublicKey::~P256PublicKey() { EVP_PKEY_free(static_cast<EVP_PKEY*>(handle_)); }

bool P256PublicKey::verify(ByteView digest, ByteView signature) const {
    if (handle_ == nullptr || digest.size() != 32 || signature.size() != p256_signature_size) return false;
    std::array<std::uint8_t, 80> der;
    const std::size_t der_size = to_der(signature, der);
    const KeyContext checker{EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(handle_), nullptr)};
    if (der_size == 0 || !checker || EVP_PKEY_verify_init(checker.get()) != 1) return false;
    return EVP_PKEY_verify(checker.get(), der.data(), der_size, digest.data(), digest.size()) == 1;
}

} // namespace casemate::measure
