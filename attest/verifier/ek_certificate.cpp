// SPDX-License-Identifier: Apache-2.0
// See ek_certificate.hpp.
#include "attest/verifier/ek_certificate.hpp"

#include <fstream>
#include <iterator>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace casemate::verifier {
namespace {

using Why = CertificateRefusal::Why;
constexpr std::size_t max_certificate = 16 * 1024;

Failure<CertificateRefusal> refuse(Why why, std::string detail) { return {{why, std::move(detail)}}; }

/// NV areas are often larger than the certificate in them: zeroes or ones after it are tolerated, nothing else.
bool is_padding(ByteView rest) {
    for (const std::uint8_t byte : rest)
        if (byte != rest[0] || (byte != 0x00 && byte != 0xFF)) return false;
    return true;
}

Certificate decode(ByteView der) {
    if (der.size() > max_certificate) return nullptr;
    const unsigned char* at = der.data();
    Certificate certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    if (!certificate || !is_padding(der.subspan(static_cast<std::size_t>(at - der.data())))) return nullptr;
    return certificate;
}

bool has_ek_purpose(const X509& certificate) {
    using Usages = std::unique_ptr<EXTENDED_KEY_USAGE, Releaser<EXTENDED_KEY_USAGE_free>>;
    using Object = std::unique_ptr<ASN1_OBJECT, Releaser<ASN1_OBJECT_free>>;
    const Usages usages{static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(&certificate, NID_ext_key_usage, nullptr, nullptr))};
    const Object wanted{OBJ_txt2obj("2.23.133.8.1", 1)};
    if (!usages || !wanted) return false;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i)
        if (OBJ_cmp(sk_ASN1_OBJECT_value(usages.get(), i), wanted.get()) == 0) return true;
    return false;
}

} // namespace

void EkAuthorities::add(const std::filesystem::path& path) {
    if (!std::filesystem::is_directory(path)) {
        if (add_file(path) == 0) throw CryptoFailure(path.string() + " holds no certificate");
        return;
    }
    for (const auto& entry : std::filesystem::directory_iterator{path})
        if (entry.is_regular_file()) (void)add_file(entry.path());
}

std::size_t EkAuthorities::add_file(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw CryptoFailure("cannot read " + file.string());
    const std::size_t before = size();
    const std::unique_ptr<BIO, Releaser<BIO_free_all>> pem{BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))};
    while (Certificate certificate{PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr)})
        add_certificate(std::move(certificate));
    ERR_clear_error();
    if (size() == before)
        if (Certificate certificate = decode(as_bytes(content))) add_certificate(std::move(certificate));
    return size() - before;
}

void EkAuthorities::add_certificate(Certificate certificate) {
    if ((X509_get_extension_flags(certificate.get()) & EXFLAG_SS) == 0) {
        intermediates_.push_back(std::move(certificate));
        return;
    }
    require(X509_STORE_add_cert(trusted_.get(), certificate.get()) == 1, "add an EK authority");
    ++roots_;
}

Status<CertificateRefusal> EkAuthorities::check(ByteView der, const EVP_PKEY& ek) const {
    const Certificate certificate = decode(der);
    if (!certificate) return refuse(Why::malformed, "not a DER certificate");
    if (roots_ == 0) return refuse(Why::no_authority, "the verifier has no EK authority");
    TRY(check_path(*certificate));
    if (!has_ek_purpose(*certificate)) return refuse(Why::purpose, "no key usage 2.23.133.8.1");
    const EVP_PKEY* certified = X509_get0_pubkey(certificate.get());
    if (certified == nullptr || EVP_PKEY_eq(certified, &ek) != 1)
        return refuse(Why::other_key, "the certificate is for another key");
    return Done{};
}

Status<CertificateRefusal> EkAuthorities::check_path(X509& certificate) const {
    // The stack borrows; the certificates stay owned by intermediates_.
    const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> helpers{
        sk_X509_new_null(), [](STACK_OF(X509)* stack) { sk_X509_free(stack); }};
    for (const Certificate& intermediate : intermediates_) sk_X509_push(helpers.get(), intermediate.get());
    const std::unique_ptr<X509_STORE_CTX, Releaser<X509_STORE_CTX_free>> context{X509_STORE_CTX_new()};
    require(context && X509_STORE_CTX_init(context.get(), trusted_.get(), &certificate, helpers.get()) == 1,
            "certificate path");
    if (X509_verify_cert(context.get()) == 1) return Done{};
    ERR_clear_error();
    return refuse(Why::chain, X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

} // namespace casemate::verifier
