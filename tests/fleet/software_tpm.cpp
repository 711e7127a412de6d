// SPDX-License-Identifier: Apache-2.0
// See software_tpm.hpp.
#define OPENSSL_SUPPRESS_DEPRECATED // ECDSA_do_sign(), as in attest/cose/signer.cpp
#include "tests/fleet/software_tpm.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "attest/verifier/credential.hpp"

namespace casemate::fleet {
namespace {

using verifier::as_bytes;
using verifier::concatenate;
using verifier::KeyContext;
using verifier::require;
using verifier::sha256;
using verifier::tpm2b;

constexpr std::size_t coordinate_size = 32;
using Point = std::array<std::uint8_t, 1 + 2 * coordinate_size>; // SEC1, uncompressed
constexpr std::uint8_t name_of_sha256[] = {0x00, 0x0B};          // [TPM2-P2 6.3]

// TPMT_PUBLIC of an EK up to its symmetric cipher: nameAlg SHA-256, objectAttributes 000300B2, authPolicy
// PolicySecret(TPM_RH_ENDORSEMENT) [TCG-EK B.3].
constexpr std::uint8_t ek_common[] = {0x00, 0x0B, 0x00, 0x03, 0x00, 0xB2, 0x00, 0x20, 0x83, 0x71, 0x97, 0x67, 0x44, 0x84,
                                      0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24, 0xFD, 0x52, 0xD7, 0x6E,
                                      0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};
constexpr std::uint8_t type_rsa[] = {0x00, 0x01};
constexpr std::uint8_t type_ecc[] = {0x00, 0x23};
// AES-128-CFB; no scheme, 2048 bits, default exponent, size of the modulus.
constexpr std::uint8_t rsa_parameters[] = {0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00};
// AES-128-CFB; no scheme, P-256, no KDF.
constexpr std::uint8_t ecc_parameters[] = {0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x00, 0x03, 0x00, 0x10};
// Of the AK: ECC, SHA-256, fixedTPM fixedParent sensitiveDataOrigin userWithAuth restricted sign, no policy, no cipher,
// ECDSA with SHA-256, P-256, no KDF.
constexpr std::uint8_t ak_parameters[] = {0x00, 0x23, 0x00, 0x0B, 0x00, 0x05, 0x00, 0x72, 0x00, 0x00,
                                          0x00, 0x10, 0x00, 0x18, 0x00, 0x0B, 0x00, 0x03, 0x00, 0x10};

verifier::PublicKey new_key(EkKind kind) {
    verifier::PublicKey key{kind == EkKind::rsa2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")};
    require(key != nullptr, "a key for the software TPM");
    return key;
}

Point point_of(const EVP_PKEY& key) {
    Point point{};
    std::size_t size = 0;
    require(EVP_PKEY_get_octet_string_param(&key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1 &&
                size == point.size(), "the point of a key");
    return point;
}

/// TPMS_ECC_POINT [TPM2-P2 11.2.5.2].
Bytes tpms_point(const EVP_PKEY& key) {
    const Point point = point_of(key);
    return concatenate({tpm2b(ByteView{point}.subspan(1, coordinate_size)), tpm2b(ByteView{point}.last(coordinate_size))});
}

Bytes modulus_of(const EVP_PKEY& key) {
    BIGNUM* raw = nullptr;
    require(EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_N, &raw) == 1, "the modulus of a key");
    const std::unique_ptr<BIGNUM, Releaser<BN_free>> modulus{raw};
    Bytes bytes(256);
    require(BN_bn2binpad(modulus.get(), bytes.data(), static_cast<int>(bytes.size())) > 0, "the modulus of a key");
    return bytes;
}

/// The contents of a TPM2B that fills the bytes exactly.
std::optional<Bytes> contents(ByteView bytes) {
    BigEndianReader in{bytes};
    const ByteView inside = in.bytes(in.u16());
    if (!in.finished()) return std::nullopt;
    return verifier::to_bytes(inside);
}

std::optional<Bytes> rsa_seed(EVP_PKEY& key, ByteView cipher) {
    const KeyContext context{EVP_PKEY_CTX_new(&key, nullptr)};
    constexpr char label[] = "IDENTITY"; // with its zero [TPM2-P1 B.4]
    void* owned = OPENSSL_memdup(label, sizeof label); // OpenSSL frees it
    require(context && owned != nullptr && EVP_PKEY_decrypt_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), owned, sizeof label) == 1, "OAEP parameters");
    Bytes plain(256);
    std::size_t size = plain.size();
    const bool done = EVP_PKEY_decrypt(context.get(), plain.data(), &size, cipher.data(), cipher.size()) == 1;
    ERR_clear_error();
    if (!done) return std::nullopt;
    plain.resize(size);
    return plain;
}

std::optional<Bytes> ecc_seed(EVP_PKEY& key, ByteView tpms) {
    BigEndianReader in{tpms};
    const ByteView x = in.bytes(in.u16());
    const ByteView y = in.bytes(in.u16());
    if (!in.finished() || x.size() != coordinate_size || y.size() != coordinate_size) return std::nullopt;
    constexpr std::uint8_t uncompressed[] = {0x04};
    const verifier::PublicKey ephemeral = verifier::p256_key(concatenate({uncompressed, x, y}));
    if (!ephemeral) return std::nullopt;
    const KeyContext context{EVP_PKEY_CTX_new(&key, nullptr)};
    Bytes z(coordinate_size);
    std::size_t size = z.size();
    require(context && EVP_PKEY_derive_init(context.get()) == 1 &&
                EVP_PKEY_derive_set_peer(context.get(), ephemeral.get()) == 1 &&
                EVP_PKEY_derive(context.get(), z.data(), &size) == 1 && size == z.size(), "ECDH");
    const Point own = point_of(key);
    return verifier::kdf_e(z, "IDENTITY", x, ByteView{own}.subspan(1, coordinate_size), 256);
}

Bytes aes128_cfb_decrypt(ByteView key, ByteView cipher) {
    const std::unique_ptr<EVP_CIPHER_CTX, Releaser<EVP_CIPHER_CTX_free>> context{EVP_CIPHER_CTX_new()};
    const std::array<std::uint8_t, 16> zero_iv{};
    Bytes plain(cipher.size());
    int written = 0;
    require(context && EVP_DecryptInit_ex(context.get(), EVP_aes_128_cfb128(), nullptr, key.data(), zero_iv.data()) == 1 &&
                EVP_DecryptUpdate(context.get(), plain.data(), &written, cipher.data(), static_cast<int>(cipher.size())) == 1,
            "AES-128-CFB");
    return plain;
}

} // namespace

SoftwareTpm::SoftwareTpm(EkKind kind) : kind_{kind}, ek_{new_key(kind)}, ak_{new_key(EkKind::ecc_p256)} {}

Bytes SoftwareTpm::ek_public() const {
    if (kind_ == EkKind::rsa2048) return tpm2b(concatenate({type_rsa, ek_common, rsa_parameters, modulus_of(*ek_)}));
    return tpm2b(concatenate({type_ecc, ek_common, ecc_parameters, tpms_point(*ek_)}));
}

Bytes SoftwareTpm::ak_public() const { return tpm2b(concatenate({ak_parameters, tpms_point(*ak_)})); }

Bytes SoftwareTpm::ak_name() const {
    const Bytes area = *contents(ak_public());
    return concatenate({name_of_sha256, sha256(area)});
}

std::optional<Bytes> SoftwareTpm::seed_of(ByteView encrypted_secret) const {
    const std::optional<Bytes> inside = contents(encrypted_secret);
    if (!inside) return std::nullopt;
    return kind_ == EkKind::rsa2048 ? rsa_seed(*ek_, *inside) : ecc_seed(*ek_, *inside);
}

std::optional<Bytes> SoftwareTpm::activate(ByteView blob, ByteView encrypted_secret) const {
    const std::optional<Bytes> id_object = contents(blob);
    const std::optional<Bytes> seed = seed_of(encrypted_secret);
    if (!id_object || !seed) return std::nullopt;
    BigEndianReader in{*id_object};
    const ByteView integrity = in.bytes(in.u16());
    const ByteView encrypted = in.bytes(in.remaining());
    if (!in.ok()) return std::nullopt;
    const Bytes name = ak_name();
    const Bytes hmac_key = verifier::kdf_a(*seed, "INTEGRITY", {}, {}, 256);
    if (!equal(integrity, verifier::hmac_sha256(hmac_key, concatenate({encrypted, name})))) return std::nullopt;
    return contents(aes128_cfb_decrypt(verifier::kdf_a(*seed, "STORAGE", name, {}, 128), encrypted));
}

Bytes SoftwareTpm::sign(ByteView attest) const { return sign_as_tpm(*ak_, attest); }

Bytes sign_as_tpm(EVP_PKEY& key, ByteView attest) {
    const verifier::Sha256 digest = sha256(attest);
    const EC_KEY* secret = EVP_PKEY_get0_EC_KEY(&key); // made once for each key
    require(secret != nullptr, "sign a quote");
    const std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>> signature{
        ECDSA_do_sign(digest.data(), static_cast<int>(digest.size()), const_cast<EC_KEY*>(secret))};
    require(signature != nullptr, "sign a quote");
    std::array<std::uint8_t, coordinate_size> r{}, s{};
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), r.data(), coordinate_size);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), s.data(), coordinate_size);
    constexpr std::uint8_t ecdsa_sha256[] = {0x00, 0x18, 0x00, 0x0B};
    return concatenate({ecdsa_sha256, tpm2b(r), tpm2b(s)});
}

} // namespace casemate::fleet
