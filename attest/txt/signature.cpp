// SPDX-License-Identifier: Apache-2.0
// See ak_file.hpp: signatures. TPMT_SIGNATURE: [TPM2-P2 11.3.4].
#include "attest/txt/ak_file.hpp"
#include "attest/verifier/bytes.hpp"
#include "dlaunch/measure/digest.hpp"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

namespace casemate::txt {

namespace {

using measure::TPM_ALG_ID;
using BigNumber = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;

constexpr std::uint16_t TPM_ALG_RSASSA = 0x0014; // [TPM2-P2 T9]
constexpr std::uint16_t TPM_ALG_RSAPSS = 0x0016;
constexpr std::uint16_t TPM_ALG_ECDSA = 0x0018;
constexpr std::uint8_t der_sequence = 0x30;

/// As OpenSSL takes it.
struct Plain {
    const EVP_MD* hash = EVP_sha256();
    bool pss = false;
    verifier::Bytes bytes;
};

/// SHA-1 is none.
const EVP_MD* hash_of(std::uint16_t algorithm) {
    switch (static_cast<TPM_ALG_ID>(algorithm)) {
    case TPM_ALG_ID::SHA256: return EVP_sha256();
    case TPM_ALG_ID::SHA384: return EVP_sha384();
    case TPM_ALG_ID::SHA512: return EVP_sha512();
    default: return nullptr;
    }
}

/// Empty when OpenSSL has no memory left.
verifier::Bytes der_of(ByteView r, ByteView s) {
    BigNumber first{BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr)};
    BigNumber second{BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr)};
    const std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>> pair{ECDSA_SIG_new()};
    if (!first || !second || !pair || ECDSA_SIG_set0(pair.get(), first.get(), second.get()) != 1) return {};
    (void)first.release(); // the pair has them
    (void)second.release();
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    if (size <= 0) return {};
    verifier::Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

std::optional<Plain> read_structure(ByteView signature) {
    constexpr std::uint16_t largest = 512;
    BigEndianReader in{signature};
    const std::uint16_t scheme = in.u16();
    Plain plain;
    plain.hash = hash_of(in.u16());
    const auto read = [&] {
        const std::uint16_t size = in.u16();
        return size <= largest ? in.bytes(size) : in.bytes(in.remaining() + 1);
    };
    const ByteView first = read();
    if (plain.hash == nullptr || first.empty()) return std::nullopt;
    if (scheme == TPM_ALG_ECDSA) {
        const ByteView second = read();
        if (!in.finished() || second.empty()) return std::nullopt;
        plain.bytes = der_of(first, second);
        return plain;
    }
    if (!in.finished() || (scheme != TPM_ALG_RSASSA && scheme != TPM_ALG_RSAPSS)) return std::nullopt;
    plain.pss = scheme == TPM_ALG_RSAPSS;
    plain.bytes = verifier::to_bytes(first);
    return plain;
}

/// `--format plain` leaves scheme and hash out: RSASSA or ECDSA with SHA-256 is what its keys have by default.
std::optional<Plain> read_plain(const AkFile& ak, ByteView signature) {
    const bool rsa = EVP_PKEY_is_a(ak.key.get(), "RSA") == 1;
    const bool fits = rsa ? signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(ak.key.get()))
                          : !signature.empty() && signature[0] == der_sequence;
    if (!fits) return std::nullopt;
    return Plain{EVP_sha256(), false, verifier::to_bytes(signature)};
}

bool verify(const AkFile& ak, ByteView message, const Plain& plain) {
    const Context context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* key = nullptr; // the context's
    if (!context || EVP_DigestVerifyInit(context.get(), &key, plain.hash, nullptr, ak.key.get()) != 1) return false;
    if (plain.pss && (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) != 1 ||
                      EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_AUTO) != 1))
        return false;
    return EVP_DigestVerify(context.get(), plain.bytes.data(), plain.bytes.size(), message.data(), message.size()) == 1;
}

} // namespace

SignatureCheck check_signature(const AkFile& ak, ByteView message, ByteView signature) {
    std::optional<Plain> plain = read_structure(signature);
    if (!plain) plain = read_plain(ak, signature);
    if (!plain) return SignatureCheck::malformed;
    const bool good = verify(ak, message, *plain);
    ERR_clear_error();
    return good ? SignatureCheck::good : SignatureCheck::bad;
}

} // namespace casemate::txt
