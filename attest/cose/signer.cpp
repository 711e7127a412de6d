// SPDX-License-Identifier: Apache-2.0
// See signer.hpp.
#include "attest/cose/signer.hpp"

#include "dlaunch/measure/openssl_releaser.hpp"

#include <fstream>
#include <iterator>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <optional>

namespace casemate::cose {
namespace {

using Bio = std::unique_ptr<BIO, Releaser<BIO_free_all>>;
using Context = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
using PublicPoint = std::array<std::uint8_t, measure::p256_point_size>;

#ifdef CASEMATE_PRODUCTION
constexpr bool is_production = true;
#else
constexpr bool is_production = false;
#endif

constexpr int scalar_size = 32;
constexpr char group_order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"; // [SEC2 2.4.2]

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

bool is_unfit(std::string_view pem) { return is_production && pem.find(development_mark) != std::string_view::npos; }

Bio memory_bio(const std::string& text) {
    return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

Result<PublicPoint, SignError> public_point(const EVP_PKEY* key) {
    char group[32] = {};
    PublicPoint point{};
    std::size_t size = 0;
    const bool named = key != nullptr && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1;
    if (!named || std::string_view{group} != "prime256v1") return Failure{SignError::not_p256_private_key};
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 ||
        size != point.size()) {
        return Failure{SignError::library};
    }
    return point;
}

/// s := order - s when s is in the upper half. Both verify; we accept and make the lower one only.
bool write_low_s(const ECDSA_SIG& signature, std::array<std::uint8_t, signature_size>& out) {
    BIGNUM* order_raw = nullptr;
    if (BN_hex2bn(&order_raw, group_order_hex) == 0) return false;
    const Number order{order_raw};
    const Number half{BN_dup(order.get())};
    const Number s{BN_dup(ECDSA_SIG_get0_s(&signature))};
    if (!half || !s || BN_rshift1(half.get(), order.get()) != 1) return false;
    if (BN_cmp(s.get(), half.get()) > 0 && BN_sub(s.get(), order.get(), s.get()) != 1) return false;
    return BN_bn2binpad(ECDSA_SIG_get0_r(&signature), out.data(), scalar_size) == scalar_size &&
           BN_bn2binpad(s.get(), out.data() + scalar_size, scalar_size) == scalar_size;
}

} // namespace

const char* describe(SignError error) {
    switch (error) {
    case SignError::none: return "no error";
    case SignError::cannot_read: return "cannot read the key file";
    case SignError::not_p256_private_key: return "the file does not hold a P-256 key of this kind";
    case SignError::library: return "the cryptographic library failed";
    case SignError::development_key: return "a development key, and this is a production build: make keys with casemate-keys init";
    }
    return "unknown error";
}

Result<Signer, SignError> Signer::adopt(Key key) {
    Signer signer;
    signer.public_key_ = TRY(public_point(key.get()));
    signer.key_ = std::move(key);
    return signer;
}

Result<Signer, SignError> Signer::from_pem(const std::string& pem) {
    if (is_unfit(pem)) return Failure{SignError::development_key};
    const Bio bio = memory_bio(pem);
    return adopt(Key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free});
}

Result<Signer, SignError> Signer::from_pem_file(const std::string& path) {
    const auto pem = read_file(path);
    if (!pem) return Failure{SignError::cannot_read};
    return from_pem(*pem);
}

Result<Signer, SignError> Signer::generate() { return adopt(Key{EVP_EC_gen("P-256"), EVP_PKEY_free}); }

Result<std::array<std::uint8_t, signature_size>, SignError> Signer::sign(const SignedBytes& bytes) const {
    return sign(bytes.prefix(), bytes.payload());
}

Result<std::array<std::uint8_t, signature_size>, SignError> Signer::sign(ByteView first, ByteView second) const {
    const Context context{EVP_MD_CTX_new()};
    std::array<std::uint8_t, 80> der{}; // at most 72 bytes
    std::size_t size = der.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSignUpdate(context.get(), first.data(), first.size()) != 1 ||
        EVP_DigestSignUpdate(context.get(), second.data(), second.size()) != 1 ||
        EVP_DigestSignFinal(context.get(), der.data(), &size) != 1) {
        return Failure{SignError::library};
    }
    const unsigned char* cursor = der.data();
    const Signature signature{d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size))};
    std::array<std::uint8_t, signature_size> raw{};
    if (!signature || !write_low_s(*signature, raw)) return Failure{SignError::library};
    return raw;
}

Result<std::vector<std::uint8_t>, SignError> Signer::sign_message(ByteView protected_header,
                                                                  ByteView payload) const {
    const auto signature = TRY(sign(SignedBytes{protected_header, payload}));
    std::vector<std::uint8_t> buffer(payload.size() + envelope_size);
    CborWriter out{buffer};
    write_sign1(out, {protected_header, payload, signature});
    if (!out.ok()) return Failure{SignError::library};
    buffer.resize(out.size());
    return buffer;
}

Result<PublicPoint, SignError> read_public_key(const std::string& path) {
    const auto pem = read_file(path);
    if (!pem) return Failure{SignError::cannot_read};
    if (is_unfit(*pem)) return Failure{SignError::development_key};
    const Bio bio = memory_bio(*pem);
    const std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>> key{
        PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
    return public_point(key.get());
}

} // namespace casemate::cose
