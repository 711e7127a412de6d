// SPDX-License-Identifier: Apache-2.0
// See crypto.hpp.
#include "attest/verifier/crypto.hpp"

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

namespace casemate::verifier {

void require(bool done, const char* what) {
    if (done) return;
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
    ERR_clear_error();
    throw CryptoFailure(std::string(what) + ": " + reason.data());
}

Sha256 sha256(ByteView data) {
    Sha256 digest{};
    require(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1, "SHA-256");
    return digest;
}

Sha256 hmac_sha256(ByteView key, ByteView data) {
    Sha256 tag{};
    require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), tag.data(),
                 nullptr) != nullptr, "HMAC-SHA-256");
    return tag;
}

Bytes random_bytes(std::size_t count) {
    Bytes bytes(count);
    require(RAND_priv_bytes(bytes.data(), static_cast<int>(count)) == 1, "random bytes");
    return bytes;
}

Bytes aes128_cfb_encrypt(ByteView key, ByteView plain) {
    const std::unique_ptr<EVP_CIPHER_CTX, Releaser<EVP_CIPHER_CTX_free>> context{EVP_CIPHER_CTX_new()};
    const std::array<std::uint8_t, 16> zero_iv{};
    Bytes cipher(plain.size());
    int written = 0;
    const bool done =
        context && key.size() == 16 &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_128_cfb128(), nullptr, key.data(), zero_iv.data()) == 1 &&
        EVP_EncryptUpdate(context.get(), cipher.data(), &written, plain.data(), static_cast<int>(plain.size())) == 1 &&
        written == static_cast<int>(plain.size());
    require(done, "AES-128-CFB");
    return cipher;
}

Bytes rsa_oaep_encrypt(EVP_PKEY& key, ByteView label, ByteView plain) {
    const KeyContext context{EVP_PKEY_CTX_new(&key, nullptr)};
    require(context && EVP_PKEY_encrypt_init(context.get()) == 1, "OAEP");
    require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1, "OAEP parameters");
    // OpenSSL takes ownership of the label, so it must be on its heap.
    void* owned = OPENSSL_memdup(label.data(), label.size());
    const bool labelled = owned != nullptr && EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), owned,
                                                                               static_cast<int>(label.size())) == 1;
    if (!labelled) OPENSSL_free(owned);
    require(labelled, "OAEP label");
    Bytes cipher(static_cast<std::size_t>(EVP_PKEY_get_size(&key)));
    std::size_t size = cipher.size();
    require(EVP_PKEY_encrypt(context.get(), cipher.data(), &size, plain.data(), plain.size()) == 1, "OAEP encrypt");
    cipher.resize(size);
    return cipher;
}

} // namespace casemate::verifier
