// SPDX-License-Identifier: Apache-2.0
// See tpm_public.hpp.
#include "attest/verifier/tpm_public.hpp"

#include "dlaunch/measure/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

namespace casemate::verifier {
namespace {

constexpr std::uint16_t alg_sha256 = 0x000B; // [TPM2-P2 6.3]
constexpr std::uint16_t alg_null = 0x0010;
constexpr std::uint16_t alg_ecdsa = 0x0018;
constexpr std::uint16_t alg_ecc = 0x0023;
constexpr std::uint16_t curve_p256 = 0x0003;
constexpr std::size_t coordinate_size = 32;
constexpr std::size_t modulus_size = 256;

// TPMA_OBJECT [TPM2-P2 8.3]
constexpr std::uint32_t fixed_tpm = 1U << 1;
constexpr std::uint32_t fixed_parent = 1U << 4;
constexpr std::uint32_t sensitive_data_origin = 1U << 5;
constexpr std::uint32_t user_with_auth = 1U << 6;
constexpr std::uint32_t admin_with_policy = 1U << 7;
constexpr std::uint32_t no_da = 1U << 10;
constexpr std::uint32_t restricted = 1U << 16;
constexpr std::uint32_t sign = 1U << 18;
constexpr std::uint32_t ak_required = fixed_tpm | fixed_parent | sensitive_data_origin | restricted | sign;
constexpr std::uint32_t ak_optional = user_with_auth | admin_with_policy | no_da;

// What templates L-1 and L-2 share after the type: name algorithm, attributes, PolicySecret(endorsement).
#define EK_COMMON                                                                                            \
    0x00, 0x0B, 0x00, 0x03, 0x00, 0xB2, 0x00, 0x20, 0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A,    \
        0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24, 0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2,      \
        0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA
// type RSA; AES-128-CFB, no scheme, 2048 bits, default exponent; size of the modulus
constexpr std::uint8_t ek_rsa[] = {0x00, 0x01, EK_COMMON, 0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10,
                                   0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00};
// type ECC; AES-128-CFB, no scheme, P-256, no KDF
constexpr std::uint8_t ek_ecc[] = {0x00, 0x23, EK_COMMON, 0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10,
                                   0x00, 0x03, 0x00, 0x10};

/// The TPMT_PUBLIC inside a TPM2B_PUBLIC, or nothing when the size is not exact.
ByteView public_area(ByteView tpm2b) {
    BigEndianReader reader{tpm2b};
    const ByteView area = reader.bytes(reader.u16());
    return reader.finished() ? area : ByteView{};
}

bool starts_with(ByteView bytes, ByteView prefix) {
    return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

struct ParameterBuilder {
    std::unique_ptr<OSSL_PARAM_BLD, Releaser<OSSL_PARAM_BLD_free>> builder{OSSL_PARAM_BLD_new()};

    PublicKey build(const char* type) const {
        const std::unique_ptr<OSSL_PARAM, Releaser<OSSL_PARAM_free>> parameters{OSSL_PARAM_BLD_to_param(builder.get())};
        const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
        require(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1, "key parameters");
        EVP_PKEY* key = nullptr;
        if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
        return PublicKey{key};
    }
};

PublicKey rsa_key(ByteView modulus) {
    using BigNumber = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
    const BigNumber n{BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr)};
    const BigNumber e{BN_new()};
    const ParameterBuilder parameters;
    require(n && e && BN_set_word(e.get(), RSA_F4) == 1, "RSA key");
    require(OSSL_PARAM_BLD_push_BN(parameters.builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                OSSL_PARAM_BLD_push_BN(parameters.builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1, "RSA key");
    return parameters.build("RSA");
}

/// Reads the two coordinates of a TPMS_ECC_POINT to a SEC1 point; false when they are not 32 bytes each.
bool read_point(BigEndianReader& reader, std::array<std::uint8_t, 65>& point) {
    point[0] = 4; // SEC1 2.3.3, uncompressed
    for (std::size_t at : {std::size_t{1}, std::size_t{1 + coordinate_size}}) {
        if (reader.u16() != coordinate_size) return false;
        const ByteView coordinate = reader.bytes(coordinate_size);
        if (!reader.ok()) return false;
        std::copy(coordinate.begin(), coordinate.end(), point.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return reader.finished();
}

Result<EndorsementKey, KeyError> parse_ecc_ek(ByteView area) {
    BigEndianReader reader{area.subspan(sizeof ek_ecc)};
    std::array<std::uint8_t, 65> point{};
    if (!read_point(reader, point)) return Failure{KeyError::malformed};
    PublicKey key = p256_key(point);
    if (!key) return Failure{KeyError::point};
    return EndorsementKey{EndorsementKey::Kind::ecc_p256, to_bytes(area), std::move(key),
                          to_bytes(ByteView{point}.subspan(1, coordinate_size))};
}

} // namespace

PublicKey p256_key(ByteView point) {
    const ParameterBuilder parameters;
    require(OSSL_PARAM_BLD_push_utf8_string(parameters.builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
                OSSL_PARAM_BLD_push_octet_string(parameters.builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                                 point.size()) == 1, "P-256 key");
    PublicKey key = parameters.build("EC");
    if (!key) return nullptr;
    const KeyContext check{EVP_PKEY_CTX_new(key.get(), nullptr)};
    return check && EVP_PKEY_public_check(check.get()) == 1 ? std::move(key) : nullptr;
}

Bytes AttestationKey::name() const { return concatenate({big_endian(alg_sha256, 2), sha256(area)}); }

Result<EndorsementKey, KeyError> parse_endorsement_key(ByteView tpm2b_public) {
    const ByteView area = public_area(tpm2b_public);
    if (area.empty()) return Failure{KeyError::malformed};
    if (starts_with(area, ek_ecc)) return parse_ecc_ek(area);
    if (!starts_with(area, ek_rsa)) return Failure{KeyError::template_unknown};
    const ByteView modulus = area.subspan(sizeof ek_rsa);
    if (modulus.size() != modulus_size || (modulus[0] & 0x80) == 0) return Failure{KeyError::malformed};
    PublicKey key = rsa_key(modulus);
    if (!key) return Failure{KeyError::malformed};
    return EndorsementKey{EndorsementKey::Kind::rsa2048, to_bytes(area), std::move(key), {}};
}

Result<AttestationKey, KeyError> parse_attestation_key(ByteView tpm2b_public) {
    const ByteView area = public_area(tpm2b_public);
    BigEndianReader reader{area};
    const bool ecc = reader.u16() == alg_ecc;
    const bool named = reader.u16() == alg_sha256;
    const std::uint32_t attributes = reader.u32();
    (void)reader.bytes(reader.u16()); // authPolicy: who may use the key is the platform's affair
    const bool scheme = reader.u16() == alg_null && reader.u16() == alg_ecdsa && reader.u16() == alg_sha256;
    const bool curve = reader.u16() == curve_p256 && reader.u16() == alg_null;
    AttestationKey key{to_bytes(area), {}};
    if (!ecc || !named || !scheme || !curve || !read_point(reader, key.point)) return Failure{KeyError::malformed};
    const bool allowed = (attributes & ak_required) == ak_required && (attributes & ~(ak_required | ak_optional)) == 0;
    if (!allowed) return Failure{KeyError::attributes};
    if (!measure::P256PublicKey::create(key.point)) return Failure{KeyError::point};
    return key;
}

} // namespace casemate::verifier
