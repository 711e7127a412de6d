// SPDX-License-Identifier: Apache-2.0
// See certificates.hpp. X.509 version 3 profile: RFC 5280.
#include "keys/certificates.hpp"

#include <cstdint>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <vector>

namespace casemate::keys {
namespace {

using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;

constexpr int tls_days = 3650;
constexpr long backdate_seconds = 3600; // a clock that is a little behind still accepts it

void add_extension(X509& certificate, X509& issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
    require(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, "add a certificate extension");
}

void set_random_serial(X509& certificate) {
    std::uint64_t serial = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "make random bytes");
    serial >>= 1; // positive [RFC 5280 4.1.2.2]
    require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial | 1) == 1, "set a serial number");
}

Certificate unsigned_certificate(EVP_PKEY& key, const char* common_name, int days = tls_days) {
    Certificate certificate{X509_new()};
    require(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1, "make a certificate");
    set_random_serial(*certificate);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -backdate_seconds);
    X509_time_adj_ex(X509_getm_notAfter(certificate.get()), days, 0, nullptr);
    const auto* text = reinterpret_cast<const unsigned char*>(common_name);
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1, "set a name");
    require(X509_set_pubkey(certificate.get(), &key) == 1, "set a certificate's key");
    return certificate;
}

void write(const PrivateDirectory& directory, const std::string& name, X509& certificate, std::string_view mark = {}) {
    const MemoryBio bio{BIO_new(BIO_s_mem())};
    require(bio && PEM_write_bio_X509(bio.get(), &certificate) == 1, "encode a certificate");
    directory.write_new(name, std::string{mark} + contents(*bio));
}

void sign_and_write(const PrivateDirectory& directory, const std::string& name, X509& certificate, EVP_PKEY& key,
                    std::string_view mark = {}) {
    require(X509_sign(&certificate, &key, EVP_sha256()) > 0, "sign a certificate");
    write(directory, name, certificate, mark);
}

/// r || s as X.509 has it [RFC 3279 2.2.3].
std::vector<std::uint8_t> der_of(const cose::RawSignature& raw) {
    constexpr int half = 32;
    const EcdsaSignature signature{ECDSA_SIG_new()};
    BIGNUM* const r = BN_bin2bn(raw.data(), half, nullptr);
    BIGNUM* const s = BN_bin2bn(raw.data() + half, half, nullptr);
    require(signature && r != nullptr && s != nullptr && ECDSA_SIG_set0(signature.get(), r, s) == 1, "encode a signature");
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    require(size > 0, "encode a signature");
    std::vector<std::uint8_t> bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

/// OpenSSL signs certificates with keys of its own only. So one of its own writes the algorithm into it, and the device's signature then
/// takes that one's place; whoever reads the certificate checks it, and so does this.
void sign_by_device(X509& certificate, EVP_PKEY& key, const cose::Signer& device) {
    const PrivateKey passing{EVP_EC_gen("P-256")};
    require(passing && X509_sign(&certificate, passing.get(), EVP_sha256()) > 0, "sign a certificate");
    unsigned char* covered = nullptr;
    const int size = i2d_re_X509_tbs(&certificate, &covered);
    require(size > 0, "encode a certificate");
    const auto signature = device.sign(ByteView{covered, static_cast<std::size_t>(size)}, {});
    OPENSSL_free(covered);
    if (!signature.ok()) throw KeyError{std::string{"the certificate is not signed: "} + cose::describe(signature.error())};
    const ASN1_BIT_STRING* place = nullptr;
    X509_get0_signature(&place, nullptr, &certificate);
    const std::vector<std::uint8_t> der = der_of(signature.value());
    require(ASN1_STRING_set(const_cast<ASN1_BIT_STRING*>(place), der.data(), static_cast<int>(der.size())) == 1, "set a signature");
    require(X509_verify(&certificate, &key) == 1, "verify the device's signature");
}

/// The certificate in `name` when there is one; it must be for `key`.
Certificate existing(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key) {
    const auto pem = directory.read(name);
    if (!pem) return nullptr;
    const MemoryBio bio{BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()))};
    require(bio != nullptr, "allocate");
    Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!certificate || X509_check_private_key(certificate.get(), &key) != 1) {
        throw KeyError{name + " is not a certificate of its private key"};
    }
    return certificate;
}

} // namespace

Certificate ensure_authority(const PrivateDirectory& directory, const std::string& name, const char* common_name, EVP_PKEY& key) {
    if (Certificate found = existing(directory, name, key)) return found;
    Certificate certificate = unsigned_certificate(key, common_name);
    X509& self = *certificate;
    require(X509_set_issuer_name(&self, X509_get_subject_name(&self)) == 1, "set a name");
    add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(self, self, NID_subject_key_identifier, "hash");
    sign_and_write(directory, name, self, key);
    return certificate;
}

namespace {

/// Of a signing key, still without its signature.
Certificate signing_certificate(EVP_PKEY& key, const std::string& common_name, int days) {
    Certificate certificate = unsigned_certificate(key, common_name.c_str(), days);
    X509& self = *certificate;
    require(X509_set_issuer_name(&self, X509_get_subject_name(&self)) == 1, "set a name");
    add_extension(self, self, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(self, self, NID_key_usage, "critical,digitalSignature");
    add_extension(self, self, NID_subject_key_identifier, "hash");
    return certificate;
}

} // namespace

void ensure_signing_certificate(const PrivateDirectory& directory, const std::string& name, const std::string& common_name, EVP_PKEY& key,
                                Purpose purpose, int days) {
    if (existing(directory, name, key)) return;
    const Certificate certificate = signing_certificate(key, common_name, days);
    sign_and_write(directory, name, *certificate, key, mark_of(purpose));
}

void ensure_device_certificate(const PrivateDirectory& directory, const std::string& name, const std::string& common_name, EVP_PKEY& key,
                               const cose::Signer& device, int days) {
    if (existing(directory, name, key)) return;
    const Certificate certificate = signing_certificate(key, common_name, days);
    sign_by_device(*certificate, key, device);
    write(directory, name, *certificate);
}

namespace {

/// An existing certificate must be of this issuer.
bool exists(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, const Issuer& issuer) {
    const Certificate found = existing(directory, name, key);
    if (found && X509_verify(found.get(), &issuer.key) != 1) throw KeyError{name + " was issued by another authority"};
    return found != nullptr;
}

Certificate leaf(EVP_PKEY& key, const char* common_name, const char* usage, const Issuer& issuer) {
    Certificate made = unsigned_certificate(key, common_name);
    X509& certificate = *made;
    require(X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer.certificate)) == 1, "set a name");
    add_extension(certificate, issuer.certificate, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, issuer.certificate, NID_key_usage, "critical,digitalSignature");
    add_extension(certificate, issuer.certificate, NID_ext_key_usage, usage);
    add_extension(certificate, issuer.certificate, NID_subject_key_identifier, "hash");
    add_extension(certificate, issuer.certificate, NID_authority_key_identifier, "keyid:always");
    return made;
}

} // namespace

void ensure_client(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, Issuer issuer) {
    if (exists(directory, name, key, issuer)) return;
    const Certificate client = leaf(key, "Casemate development operator", "clientAuth", issuer);
    sign_and_write(directory, name, *client, issuer.key);
}

void ensure_server(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, Issuer issuer) {
    if (exists(directory, name, key, issuer)) return;
    const Certificate server = leaf(key, "localhost", "serverAuth", issuer);
    add_extension(*server, issuer.certificate, NID_subject_alt_name, "DNS:localhost,DNS:casemate-verifier,IP:127.0.0.1");
    sign_and_write(directory, name, *server, issuer.key);
}

} // namespace casemate::keys
