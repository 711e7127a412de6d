// SPDX-License-Identifier: Apache-2.0
// An endorsement key in software (template L-2, ECC P-256) that releases credentials as a TPM does [TPM2-P1 24, C.6.4],
// and a certificate authority for it: enrolment without an emulated TPM.
#pragma once

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "attest/verifier/credential.hpp"
#include "attest/verifier/ek_certificate.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace casemate::test {

class SoftwareEk {
public:
    SoftwareEk() : key_{EVP_EC_gen("P-256")} {
        std::size_t size = 0;
        verifier::Bytes point(65);
        verifier::require(EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1,
                          "EK");
        x_.assign(point.begin() + 1, point.begin() + 33);
        // TPMT_PUBLIC of template L-2 [TCG-EK B.3.4] up to the point.
        area_ = *verifier::from_hex("0023000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
                                    "0006008000430010000300100020");
        area_.insert(area_.end(), x_.begin(), x_.end());
        area_.insert(area_.end(), {0x00, 0x20});
        area_.insert(area_.end(), point.begin() + 33, point.end());
    }
    [[nodiscard]] EVP_PKEY& key() const { return *key_; }
    [[nodiscard]] std::string platform_id() const { return verifier::to_hex(verifier::sha256(area_)); }

    /// The body of an enrolment; an empty certificate is left out.
    [[nodiscard]] verifier::Json offer(const verifier::Bytes& certificate, const verifier::Bytes& ak_area) const {
        verifier::Json body{{"ek_public", verifier::to_base64(verifier::tpm2b(area_))},
                            {"ak_public", verifier::to_base64(verifier::tpm2b(ak_area))},
                            {"banks", {"sha1", "sha256", "sha384"}}};
        if (!certificate.empty()) body["ek_certificate"] = verifier::to_base64(certificate);
        return body;
    }

    /// TPM2_ActivateCredential of what the verifier answered.
    [[nodiscard]] verifier::Bytes activate(const verifier::Json& begun, const verifier::Bytes& ak_area) const {
        using namespace verifier;
        const Bytes blob = *from_base64(begun["credential_blob"].get<std::string>());         // 2, 2, HMAC 32, identity
        const Bytes secret = *from_base64(begun["encrypted_secret"].get<std::string>());      // 2, 2, x 32, 2, y 32
        const Bytes seed = kdf_e(shared_x(secret), "IDENTITY", ByteView{secret}.subspan(4, 32), x_, 256);
        const Bytes name = concatenate({big_endian(0x000b, 2), sha256(ak_area)});
        const ByteView identity = ByteView{blob}.subspan(36);
        const Sha256 integrity = hmac_sha256(kdf_a(seed, "INTEGRITY", {}, {}, 256), concatenate({identity, name}));
        require(equal(integrity, ByteView{blob}.subspan(4, 32)), "integrity of the credential");
        const Bytes plain = decrypt(kdf_a(seed, "STORAGE", name, {}, 128), identity);
        return {plain.begin() + 2, plain.end()};
    }

private:
    [[nodiscard]] verifier::Bytes shared_x(const verifier::Bytes& secret) const {
        using namespace verifier;
        const Bytes sec1 = concatenate({Bytes{4}, ByteView{secret}.subspan(4, 32), ByteView{secret}.subspan(38, 32)});
        const PublicKey peer = p256_key(sec1);
        const KeyContext context{EVP_PKEY_CTX_new(key_.get(), nullptr)};
        Bytes z(32);
        std::size_t size = z.size();
        require(peer && EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                    EVP_PKEY_derive(context.get(), z.data(), &size) == 1, "ECDH");
        return z;
    }
    static verifier::Bytes decrypt(const verifier::Bytes& key, ByteView cipher) {
        const std::unique_ptr<EVP_CIPHER_CTX, Releaser<EVP_CIPHER_CTX_free>> context{EVP_CIPHER_CTX_new()};
        const std::array<std::uint8_t, 16> iv{};
        verifier::Bytes plain(cipher.size());
        int written = 0;
        verifier::require(EVP_DecryptInit_ex(context.get(), EVP_aes_128_cfb128(), nullptr, key.data(), iv.data()) == 1 &&
                              EVP_DecryptUpdate(context.get(), plain.data(), &written, cipher.data(), static_cast<int>(cipher.size())) == 1,
                          "AES-128-CFB");
        return plain;
    }

    verifier::PublicKey key_;
    verifier::Bytes area_;
    verifier::Bytes x_;
};

/// What a certificate of these tests is for.
struct CertificatePlan {
    const char* common_name = "test";
    const char* usage = "2.23.133.8.1"; // extendedKeyUsage; empty = an authority
    long begins_in = -3600;             // seconds from now
    long ends_in = 3600;
};

/// A P-256 authority that issues certificates for EKs and for operators.
class TestAuthority {
public:
    explicit TestAuthority(const char* name = "test authority") : key_{EVP_EC_gen("P-256")} {
        CertificatePlan plan{name, "", -7200, 7200};
        self_ = made(*key_, plan, nullptr);
        write_pem("authority.pem", *self_);
    }
    [[nodiscard]] std::filesystem::path file() const { return directory_ / "authority.pem"; }
    [[nodiscard]] verifier::EkAuthorities authorities() const {
        verifier::EkAuthorities all;
        all.add(file());
        return all;
    }
    /// DER.
    [[nodiscard]] verifier::Bytes certificate(const SoftwareEk& ek, const CertificatePlan& plan = {}) const {
        const verifier::Certificate issued = made(ek.key(), plan, self_.get());
        verifier::Bytes der(static_cast<std::size_t>(i2d_X509(issued.get(), nullptr)));
        unsigned char* at = der.data();
        i2d_X509(issued.get(), &at);
        return der;
    }
    /// Certificate and key as PEM files NAME.pem and NAME.key; returns the certificate's fingerprint.
    std::string issue_client(const std::string& name, const CertificatePlan& plan) const {
        const verifier::PublicKey key{EVP_EC_gen("P-256")};
        const verifier::Certificate issued = made(*key, plan, self_.get());
        write_pem(name + ".pem", *issued);
        std::FILE* file = std::fopen((directory_ / (name + ".key").c_str()).c_str(), "w");
        PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        verifier::Sha256 digest{};
        X509_digest(issued.get(), EVP_sha256(), digest.data(), nullptr);
        return verifier::to_hex(digest);
    }
    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory_ / name.c_str(); }

private:
    verifier::Certificate made(EVP_PKEY& subject, const CertificatePlan& plan, X509* issuer) const {
        verifier::Certificate certificate{X509_new()};
        X509* raw = certificate.get();
        X509_set_version(raw, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(raw), plan.begins_in);
        X509_gmtime_adj(X509_getm_notAfter(raw), plan.ends_in);
        X509_set_pubkey(raw, &subject);
        const auto* common = reinterpret_cast<const unsigned char*>(plan.common_name);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_ASC, common, -1, -1, 0);
        X509_set_issuer_name(raw, X509_get_subject_name(issuer == nullptr ? raw : issuer));
        const bool authority = *plan.usage == '\0';
        extend(raw, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!authority) extend(raw, NID_ext_key_usage, plan.usage);
        verifier::require(X509_sign(raw, key_.get(), EVP_sha256()) > 0, "sign");
        return certificate;
    }
    static void extend(X509* certificate, int nid, const char* value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    void write_pem(const std::string& name, X509& certificate) const {
        std::FILE* file = std::fopen((directory_ / name.c_str()).c_str(), "w");
        PEM_write_X509(file, &certificate);
        std::fclose(file);
    }

    ScratchDirectory directory_;
    verifier::PublicKey key_;
    mutable long serial_ = 0;
    verifier::Certificate self_;
};

} // namespace casemate::test
