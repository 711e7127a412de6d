// SPDX-License-Identifier: Apache-2.0
// Runs twice, as crypto_test.cpp does: over OpenSSL and over BearSSL.
#include "dlaunch/measure/keyed_crypto.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

using namespace casemate;
using namespace casemate::measure;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

ByteView text(std::string_view words) { return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size()}; }

using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;

std::vector<std::uint8_t> modulus_of(EVP_PKEY* key) {
    BIGNUM* n = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1);
    std::vector<std::uint8_t> bytes(rsa2048_size);
    REQUIRE(BN_bn2binpad(n, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
    BN_free(n);
    return bytes;
}

/// What OpenSSL makes of it; empty when it refuses.
std::vector<std::uint8_t> decrypt(EVP_PKEY* key, ByteView block, std::string_view label) {
    const KeyContext context{EVP_PKEY_CTX_new(key, nullptr)};
    REQUIRE(EVP_PKEY_decrypt_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1);
    REQUIRE(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), OPENSSL_memdup(label.data(), label.size()),
                                             static_cast<int>(label.size())) == 1);
    std::vector<std::uint8_t> message(512);
    std::size_t size = message.size();
    if (EVP_PKEY_decrypt(context.get(), message.data(), &size, block.data(), block.size()) != 1) return {};
    message.resize(size);
    return message;
}

} // namespace

TEST_CASE("HMAC-SHA-256 gives the codes of RFC 4231", "[crypto]") {
    CHECK(to_hex(hmac_sha256(std::vector<std::uint8_t>(20, 0x0b), text("Hi There"))) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(to_hex(hmac_sha256(text("Jefe"), text("what do ya want for nothing?"))) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(to_hex(hmac_sha256(std::vector<std::uint8_t>(20, 0xaa), std::vector<std::uint8_t>(50, 0xdd))) ==
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    CHECK(to_hex(hmac_sha256(std::vector<std::uint8_t>(131, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("HMAC-SHA-256 with an empty key has its own code", "[crypto]") {
    (void)hmac_sha256(text("another key"), text("before"));
    CHECK(to_hex(hmac_sha256({}, {})) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("what OAEP encrypts, OpenSSL decrypts with the same label only", "[crypto]") {
    const Key key{EVP_RSA_gen(2048)};
    REQUIRE(key);
    const auto modulus = modulus_of(key.get());
    const std::vector<std::uint8_t> message(32, 0x5a), seed(32, 0xc3);
    const std::string label{"SECRET\0", 7};
    Rsa2048Block block;
    REQUIRE(rsa_oaep_encrypt(modulus, text(label), message, seed, block));
    CHECK(decrypt(key.get(), block, label) == message);
    CHECK(decrypt(key.get(), block, "SECRET").empty());
    block[200] ^= 1;
    CHECK(decrypt(key.get(), block, label).empty());
}

TEST_CASE("OAEP refuses a modulus, a seed or a message of another size", "[crypto]") {
    const Key key{EVP_RSA_gen(2048)};
    REQUIRE(key);
    const auto modulus = modulus_of(key.get());
    const std::vector<std::uint8_t> bytes(512, 1);
    const ByteView seed = ByteView{bytes}.first(32);
    Rsa2048Block block;
    CHECK_FALSE(rsa_oaep_encrypt(ByteView{modulus}.first(255), {}, seed, seed, block));
    CHECK_FALSE(rsa_oaep_encrypt(modulus, {}, seed, ByteView{bytes}.first(31), block));
    CHECK_FALSE(rsa_oaep_encrypt(modulus, {}, ByteView{bytes}.first(191), seed, block)); // 256 - 2 * 32 - 2 fit
    CHECK(rsa_oaep_encrypt(modulus, {}, ByteView{bytes}.first(190), seed, block));
}

TEST_CASE("a wiped secret is gone", "[crypto]") {
    std::vector<std::uint8_t> secret(100, 0x77);
    wipe(ByteSpan{secret}.subspan(1, 98));
    CHECK(secret[0] == 0x77);
    CHECK(secret[99] == 0x77);
    CHECK(std::count(secret.begin(), secret.end(), 0) == 98);
}
