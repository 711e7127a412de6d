// SPDX-License-Identifier: Apache-2.0
// See ak_file.hpp. TPMT_PUBLIC: [TPM2-P2 12.2].
#include "attest/txt/ak_file.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <vector>

namespace casemate::txt {

namespace {

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Releaser<BN_free>>;

constexpr std::uint16_t TPM_ALG_RSA = 0x0001; // [TPM2-P2 T9]
constexpr std::uint16_t TPM_ALG_NULL = 0x0010;
constexpr std::uint16_t TPM_ALG_ECC = 0x0023;
constexpr std::uint16_t TPM_ECC_NIST_P256 = 0x0003;
constexpr std::uint16_t TPM_ECC_NIST_P384 = 0x0004;
constexpr std::uint32_t restricted_signer = 1U << 1 | 1U << 16 | 1U << 18; // TPMA_OBJECT: fixedTPM, restricted, sign
constexpr std::uint32_t default_exponent = 65537;
constexpr std::size_t max_key = 512; // bytes of a modulus or a coordinate

struct Builder {
    std::unique_ptr<OSSL_PARAM_BLD, Releaser<OSSL_PARAM_BLD_free>> list{OSSL_PARAM_BLD_new()};

    PublicKey build(const char* type) const {
        const std::unique_ptr<OSSL_PARAM, Releaser<OSSL_PARAM_free>> made{OSSL_PARAM_BLD_to_param(list.get())};
        const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
        EVP_PKEY* key = nullptr;
        if (!made || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, made.get()) != 1)
            return nullptr;
        return PublicKey{key};
    }
};

PublicKey rsa_key(ByteView modulus, std::uint32_t exponent) {
    const BigNumber n{BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr)};
    const BigNumber e{BN_new()};
    const Builder builder;
    if (!n || !e || BN_set_word(e.get(), exponent == 0 ? default_exponent : exponent) != 1) return nullptr;
    if (OSSL_PARAM_BLD_push_BN(builder.list.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.list.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return nullptr;
    return builder.build("RSA");
}

PublicKey ecc_key(std::uint16_t curve, ByteView x, ByteView y) {
    const std::size_t size = curve == TPM_ECC_NIST_P256 ? 32 : 48;
    if ((curve != TPM_ECC_NIST_P256 && curve != TPM_ECC_NIST_P384) || x.size() > size || y.size() > size) return nullptr;
    std::vector<std::uint8_t> point(1 + 2 * size); // SEC1, uncompressed; coordinates right-aligned
    point[0] = 4;
    std::copy(x.begin(), x.end(), point.begin() + static_cast<std::ptrdiff_t>(1 + size - x.size()));
    std::copy(y.begin(), y.end(), point.begin() + static_cast<std::ptrdiff_t>(1 + 2 * size - y.size()));
    const Builder builder;
    const char* const group = curve == TPM_ECC_NIST_P256 ? "P-256" : "P-384";
    if (OSSL_PARAM_BLD_push_utf8_string(builder.list.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.list.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        return nullptr;
    return builder.build("EC");
}

ByteView read_2b(BigEndianReader& in) {
    const std::uint16_t size = in.u16();
    return size <= max_key ? in.bytes(size) : in.bytes(in.remaining() + 1);
}

/// A scheme with its hash, or none.
void skip_scheme(BigEndianReader& in) {
    if (in.u16() != TPM_ALG_NULL) in.u16();
}

std::optional<AkFile> read_area(ByteView area) {
    BigEndianReader in{area};
    const std::uint16_t type = in.u16();
    in.u16(); // nameAlg
    const std::uint32_t attributes = in.u32();
    read_2b(in); // authPolicy
    if (in.u16() != TPM_ALG_NULL) return std::nullopt; // a symmetric algorithm: no signing key
    skip_scheme(in);
    AkFile ak;
    if (type == TPM_ALG_RSA) {
        in.u16(); // keyBits
        const std::uint32_t exponent = in.u32();
        const ByteView modulus = read_2b(in);
        if (in.finished()) ak.key = rsa_key(modulus, exponent);
    } else if (type == TPM_ALG_ECC) {
        const std::uint16_t curve = in.u16();
        skip_scheme(in); // kdf
        const ByteView x = read_2b(in);
        const ByteView y = read_2b(in);
        if (in.finished()) ak.key = ecc_key(curve, x, y);
    }
    if (!ak.key) return std::nullopt;
    ak.restricted = (attributes & restricted_signer) == restricted_signer ? AkFile::Restricted::yes : AkFile::Restricted::no;
    return ak;
}

std::optional<AkFile> read_pem(ByteView file) {
    const auto open = [&] {
        return std::unique_ptr<BIO, Releaser<BIO_free>>{BIO_new_mem_buf(file.data(), static_cast<int>(file.size()))};
    };
    AkFile ak{PublicKey{PEM_read_bio_PUBKEY(open().get(), nullptr, nullptr, nullptr)}, AkFile::Restricted::unknown};
    if (!ak.key) {
        const Certificate certificate{PEM_read_bio_X509(open().get(), nullptr, nullptr, nullptr)};
        if (certificate) ak.key.reset(X509_get_pubkey(certificate.get()));
    }
    if (!ak.key) return std::nullopt;
    return ak;
}

} // namespace

std::optional<AkFile> read_ak(ByteView file) {
    constexpr std::size_t limit = 16 * 1024;
    if (file.size() > limit) return std::nullopt;
    if (!file.empty() && file[0] == '-') return read_pem(file);
    BigEndianReader in{file};
    const ByteView area = in.bytes(in.u16());
    return in.finished() ? read_area(area) : read_area(file);
}

} // namespace casemate::txt
