// SPDX-License-Identifier: Apache-2.0
// keyed_crypto.hpp over OpenSSL 3: what host tools and tests run.
#include "dlaunch/measure/keyed_crypto.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <memory>

namespace casemate::measure {
namespace {

constexpr unsigned exponent = 65537;

using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Releaser<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Releaser<OSSL_PARAM_free>>;

Key public_key(ByteView modulus) {
    const Number n{BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr)};
    const Builder builder{OSSL_PARAM_BLD_new()};
    if (!n || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_uint(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
        return nullptr;
    const Parameters parameters{OSSL_PARAM_BLD_to_param(builder.get())};
    const KeyContext maker{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    EVP_PKEY* key = nullptr;
    if (!parameters || !maker || EVP_PKEY_fromdata_init(maker.get()) != 1) return nullptr;
    (void)EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
    return Key{key};
}

bool use_oaep(EVP_PKEY_CTX* context, ByteView label) {
    if (EVP_PKEY_encrypt_init(context) != 1 || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) != 1)
        return false;
    if (label.empty()) return true;
    void* const copy = OPENSSL_memdup(label.data(), label.size()); // the context frees it
    if (copy != nullptr && EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, static_cast<int>(label.size())) == 1) return true;
    OPENSSL_free(copy);
    return false;
}

} // namespace

Sha256Digest hmac_sha256(ByteView key, ByteView message) {
    Sha256Digest digest{};
    static constexpr std::uint8_t none = 0; // a null key means "as before" to HMAC()
    ::HMAC(EVP_sha256(), key.empty() ? &none : key.data(), static_cast<int>(key.size()), message.data(), message.size(),
           digest.data(), nullptr);
    return digest;
}

bool rsa_oaep_encrypt(ByteView modulus, ByteView label, ByteView message, ByteView seed, Rsa2048Block& out) {
    if (modulus.size() != rsa2048_size || seed.size() != Sha256Digest{}.size()) return false;
    const Key key = public_key(modulus);
    const KeyContext context{key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr};
    std::size_t size = out.size();
    return context && use_oaep(context.get(), label) &&
           EVP_PKEY_encrypt(context.get(), out.data(), &size, message.data(), message.size()) == 1 && size == out.size();
}

void wipe(ByteSpan secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

} // namespace casemate::measure
