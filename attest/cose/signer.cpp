// SPDX-License-Identifier: Apache-2.0
// See signer.hpp.
#define OPENSSL_SUPPRESS_DEPRECATED // ECDSA_do_sign(): EVP_PKEY_sign() takes a fifth longer with a context for each signature
#include "attest/cose/signer.hpp"

#include "dlaunch/measure/openssl_releaser.hpp"

#include <fstream>
#include <iterator>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <optional>

namespace casemate::cose {
namespace {

using Bio = std::unique_ptr<BIO, Releaser<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using SecretKey = std::unique_ptr<EC_KEY, Releaser<EC_KEY_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, Releaser<BN_free>>;

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

Number order_of_group() {
    BIGNUM* order = nullptr;
    (void)BN_hex2bn(&order, group_order_hex);
    return Number{order};
}

/// s := order - s when s is in the upper half. Both verify; we accept and make the lower one only.
bool make_low_s(RawSignature& signature) {
    if (measure::signature_is_low_s(signature)) return true;
    std::uint8_t* const at = signature.data() + scalar_size;
    static const Number order = order_of_group();
    const Number s{BN_bin2bn(at, scalar_size, nullptr)};
    return order && s && BN_sub(s.get(), order.get(), s.get()) == 1 && BN_bn2binpad(s.get(), at, scalar_size) == scalar_size;
}

/// A key in the memory of this process.
class MemoryKey final : public SigningKey {
public:
    MemoryKey(SecretKey key, const PublicPoint& point) : key_{std::move(key)}, point_{point} {}
    [[nodiscard]] const PublicPoint& public_key() const override { return point_; }
    [[nodiscard]] bool is_device() const override { return false; }
    [[nodiscard]] Result<RawSignature, SignError> sign_digest(ByteView digest) const override {
        const Signature signature{ECDSA_do_sign(digest.data(), static_cast<int>(digest.size()), key_.get())};
        RawSignature raw{};
        if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), scalar_size) != scalar_size ||
            BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + scalar_size, scalar_size) != scalar_size)
            return Failure{SignError::library};
        return raw;
    }

private:
    const SecretKey key_; // only read: threads share it
    const PublicPoint point_;
};

Result<Signer, SignError> adopt(Key key) {
    const PublicPoint point = TRY(public_point(key.get()));
    SecretKey secret{EVP_PKEY_get1_EC_KEY(key.get())};
    if (!secret || EC_KEY_get0_private_key(secret.get()) == nullptr) return Failure{SignError::not_p256_private_key};
    return Signer::with(std::make_shared<MemoryKey>(std::move(secret), point));
}

measure::Digest digest_of(ByteView first, ByteView second) {
    measure::Hasher hasher{measure::TPM_ALG_ID::SHA256};
    hasher.update(first);
    hasher.update(second);
    return hasher.finish();
}

} // namespace

const char* describe(SignError error) {
    switch (error) {
    case SignError::none: return "no error";
    case SignError::cannot_read: return "cannot read the key file";
    case SignError::not_p256_private_key: return "the file does not hold a P-256 key of this kind";
    case SignError::library: return "the cryptographic library failed";
    case SignError::development_key: return "a development key, and this is a production build: make keys with casemate-keys init";
    case SignError::device: return "the device that holds the key does not answer or refuses to sign";
    case SignError::device_silent: return "the device that holds the key does not answer in time";
    case SignError::device_locked: return "the device that holds the key does not accept its PIN or password";
    case SignError::device_key: return "the device no longer holds this key";
    case SignError::wrong_signature: return "the device returned a signature that is not by its key";
    }
    return "unknown error";
}

Result<Signer, SignError> Signer::with(std::shared_ptr<const SigningKey> key) {
    Signer signer;
    signer.key_ = std::move(key);
    if (!signer.key_->is_device()) return signer;
    auto point = measure::P256PublicKey::create(signer.public_key());
    if (!point) return Failure{SignError::not_p256_private_key};
    signer.checked_by_ = std::make_shared<measure::P256PublicKey>(std::move(point).value());
    return signer;
}

bool refuses_key_file(const std::string& path) {
    const auto pem = read_file(path);
    return pem && is_unfit(*pem);
}

Result<Signer, SignError> Signer::from_pem(const std::string& pem) {
    if (is_unfit(pem)) return Failure{SignError::development_key};
    const Bio bio = memory_bio(pem);
    return adopt(Key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)});
}

Result<Signer, SignError> Signer::from_pem_file(const std::string& path) {
    const auto pem = read_file(path);
    if (!pem) return Failure{SignError::cannot_read};
    return from_pem(*pem);
}

Result<Signer, SignError> Signer::generate() { return adopt(Key{EVP_EC_gen("P-256")}); }

Result<RawSignature, SignError> Signer::sign(const SignedBytes& bytes) const {
    return sign(bytes.prefix(), bytes.payload());
}

Result<RawSignature, SignError> Signer::sign(ByteView first, ByteView second) const {
    const measure::Digest digest = digest_of(first, second);
    RawSignature signature = TRY(key_->sign_digest(digest.view()));
    if (!make_low_s(signature)) return Failure{SignError::library};
    if (checked_by_ && !checked_by_->verify(digest.view(), signature)) return Failure{SignError::wrong_signature};
    return signature;
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
    const Key key{PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
    return public_point(key.get());
}

} // namespace casemate::cose
