// SPDX-License-Identifier: Apache-2.0
// See key_certificate.hpp. X.509 profile: keys/README.md.
#include "attest/cose/key_certificate.hpp"

#include "attest/cose/signer.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"

#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <optional>

namespace casemate::cose {
namespace {

using Bio = std::unique_ptr<BIO, Releaser<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;

constexpr std::size_t max_certificate = 4096;
constexpr int max_name = 64;
constexpr std::int64_t ms_per_second = 1000;

std::optional<PublicPoint> point_of(const EVP_PKEY* key) {
    char group[32] = {};
    PublicPoint point{};
    std::size_t size = 0;
    const bool good = key != nullptr && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
                      std::string_view{group} == "prime256v1" &&
                      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1 &&
                      size == point.size() && point[0] == 4;
    return good ? std::optional{point} : std::nullopt;
}

std::optional<std::string> name_of(const X509& certificate) {
    char text[max_name + 2] = {};
    const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(&certificate), NID_commonName, text, sizeof text);
    if (size < 1 || size > max_name) return std::nullopt;
    const std::string name{text, static_cast<std::size_t>(size)};
    for (const char c : name)
        if (c < ' ' || c > '~') return std::nullopt;
    return name;
}

std::optional<std::int64_t> milliseconds(const ASN1_TIME* time) {
    std::tm moment{};
    if (ASN1_TIME_to_tm(time, &moment) != 1) return std::nullopt;
    const std::time_t seconds = ::timegm(&moment);
    return seconds > 0 ? std::optional{std::int64_t{seconds} * ms_per_second} : std::nullopt;
}

/// Neither an authority nor a key for TLS.
bool only_signs(X509& certificate) {
    return X509_check_ca(&certificate) == 0 && X509_get_key_usage(&certificate) == KU_DIGITAL_SIGNATURE &&
           X509_get_ext_by_NID(&certificate, NID_ext_key_usage, -1) == -1;
}

} // namespace

const char* describe(CertificateError error) {
    switch (error) {
    case CertificateError::none: return "no error";
    case CertificateError::cannot_read: return "cannot be read";
    case CertificateError::not_one_certificate: return "is not exactly one certificate";
    case CertificateError::not_p256: return "the certificate's key is not on P-256";
    case CertificateError::not_a_signing_key: return "the certificate is an authority's, or for something else than signing";
    case CertificateError::not_self_signed: return "the certificate is not signed by its own key";
    case CertificateError::name: return "the certificate's common name is not 1 to 64 printable characters";
    case CertificateError::dates: return "the certificate's dates cannot be read, or its end lies before its beginning";
    case CertificateError::development_key: return "the certificate of a development key, and this is a production build";
    }
    return "unknown error";
}

Result<KeyCertificate, CertificateError> parse_key_certificate(ByteView der) {
    if (der.empty() || der.size() > max_certificate) return Failure{CertificateError::not_one_certificate};
    const unsigned char* cursor = der.data();
    const Certificate parsed{d2i_X509(nullptr, &cursor, static_cast<long>(der.size()))};
    if (!parsed || cursor != der.data() + der.size()) return Failure{CertificateError::not_one_certificate};
    EVP_PKEY* const key = X509_get0_pubkey(parsed.get());
    const auto point = point_of(key);
    if (!point) return Failure{CertificateError::not_p256};
    if (!only_signs(*parsed)) return Failure{CertificateError::not_a_signing_key};
    if (X509_verify(parsed.get(), key) != 1) return Failure{CertificateError::not_self_signed};
    const auto name = name_of(*parsed);
    if (!name) return Failure{CertificateError::name};
    const auto begin = milliseconds(X509_get0_notBefore(parsed.get())), end = milliseconds(X509_get0_notAfter(parsed.get()));
    if (!begin || !end || *end <= *begin) return Failure{CertificateError::dates};
    return KeyCertificate{*point, *name, *begin, *end};
}

Result<std::vector<std::uint8_t>, CertificateError> read_certificate_file(const std::string& path) {
    if (refuses_key_file(path)) return Failure{CertificateError::development_key};
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return Failure{CertificateError::cannot_read};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    const Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
    const Certificate first{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    const Certificate second{first ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr};
    unsigned char* der = nullptr;
    const int size = first && !second ? i2d_X509(first.get(), &der) : 0;
    if (size <= 0) return Failure{CertificateError::not_one_certificate};
    std::vector<std::uint8_t> bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

KeyId key_id(ByteView point) { return measure::sha256(point); }

std::string out_of_date(const KeyCertificate& certificate, std::int64_t now) {
    if (now < certificate.not_before) return "counts from " + date_text(certificate.not_before) + " only";
    if (now > certificate.not_after) return "has expired at " + date_text(certificate.not_after);
    return {};
}

std::string date_text(std::int64_t milliseconds) {
    const std::time_t seconds = milliseconds / ms_per_second;
    std::tm moment{};
    ::gmtime_r(&seconds, &moment);
    char text[32] = {};
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &moment)};
}

} // namespace casemate::cose
