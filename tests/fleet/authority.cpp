// SPDX-License-Identifier: Apache-2.0
// See authority.hpp.
#include "tests/fleet/authority.hpp"

#include <atomic>
#include <cstdio>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace casemate::fleet {
namespace {

using verifier::Certificate;
using verifier::PublicKey;
using verifier::require;

constexpr long minute = 60;
constexpr long day = 24 * 3600;

PublicKey new_key() {
    PublicKey key{EVP_EC_gen("P-256")};
    require(key != nullptr, "a key for the authority");
    return key;
}

void set_name(X509_NAME& name, const char* common) {
    // SAFETY: char and unsigned char alias.
    require(X509_NAME_add_entry_by_txt(&name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common), -1, -1, 0) == 1,
            "a certificate's name");
}

/// With key, serial number and validity.
Certificate blank(EVP_PKEY& key, long from, long until) {
    static std::atomic<long> serial{1};
    Certificate certificate{X509_new()};
    require(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from) != nullptr &&
                X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until) != nullptr &&
                X509_set_pubkey(certificate.get(), &key) == 1, "a certificate");
    return certificate;
}

void add_extension(X509& certificate, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    using Extension = std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>>;
    const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
    require(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, "a certificate's extension");
}

/// The critical subjectAltName of an EK certificate: a directory name, which has no text form in OpenSSL without a file.
void add_tpm_name(X509& certificate) {
    using Names = std::unique_ptr<GENERAL_NAMES, Releaser<GENERAL_NAMES_free>>;
    const Names names{sk_GENERAL_NAME_new_null()};
    GENERAL_NAME* name = GENERAL_NAME_new();
    require(names && name != nullptr && sk_GENERAL_NAME_push(names.get(), name) > 0, "a TPM's name");
    X509_NAME* directory = X509_NAME_new();
    require(directory != nullptr, "a TPM's name");
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, directory);
    set_name(*directory, "id:54455354 software TPM");
    require(X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 1, 0) == 1, "a TPM's name");
}

void sign(X509& certificate, EVP_PKEY& key) { require(X509_sign(&certificate, &key, EVP_sha256()) > 0, "sign a certificate"); }

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open(const std::filesystem::path& path, const char* mode) {
    File file{std::fopen(path.c_str(), mode), &std::fclose};
    if (!file) throw verifier::CryptoFailure("cannot open " + path.string());
    return file;
}

void write_pem(const std::filesystem::path& path, X509& certificate) {
    const File file = open(path, "wx");
    require(PEM_write_X509(file.get(), &certificate) == 1, "write a certificate");
}

void write_pem(const std::filesystem::path& path, const EVP_PKEY& key) {
    const File file = open(path, "wx");
    require(PEM_write_PrivateKey(file.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "write a key");
}

} // namespace

Authority::Authority() : key_{new_key()}, certificate_{blank(*key_, -day, day)} {
    set_name(*X509_get_subject_name(certificate_.get()), "Fleet EK authority");
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    add_extension(*certificate_, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(*certificate_, NID_key_usage, "critical,keyCertSign");
    sign(*certificate_, *key_);
}

Bytes Authority::certify(EVP_PKEY& ek, CertificateFault fault) const {
    const bool expired = fault == CertificateFault::expired;
    const Certificate certificate = blank(ek, expired ? -day : -minute, expired ? -minute : day);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
    add_tpm_name(*certificate);
    if (fault != CertificateFault::no_purpose) add_extension(*certificate, NID_ext_key_usage, "2.23.133.8.1");
    sign(*certificate, *key_);
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    require(size > 0, "encode a certificate");
    Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

Authority::Authority(const std::filesystem::path& certificate, const std::filesystem::path& key)
    : key_{PEM_read_PrivateKey(open(key, "r").get(), nullptr, nullptr, nullptr)},
      certificate_{PEM_read_X509(open(certificate, "r").get(), nullptr, nullptr, nullptr)} {
    require(key_ && certificate_ && X509_check_private_key(certificate_.get(), key_.get()) == 1, "the EK authority's files");
}

void Authority::write(const std::filesystem::path& certificate, const std::filesystem::path& key) const {
    write_pem(certificate, *certificate_);
    write_pem(key, *key_);
}

void make_server_certificate(const std::filesystem::path& certificate_file, const std::filesystem::path& key_file) {
    const PublicKey key = new_key();
    const Certificate certificate = blank(*key, -minute, day);
    set_name(*X509_get_subject_name(certificate.get()), "casemate-verifierd");
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    add_extension(*certificate, NID_subject_alt_name, "IP:127.0.0.1");
    sign(*certificate, *key);
    write_pem(certificate_file, *certificate);
    write_pem(key_file, *key);
}

void make_key(const std::filesystem::path& file) { write_pem(file, *new_key()); }

} // namespace casemate::fleet
