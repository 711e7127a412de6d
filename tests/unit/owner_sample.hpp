// SPDX-License-Identifier: Apache-2.0
// Owners for tests: keys in the order that a set demands, the set's bytes, and certificates of keys.
#pragma once

#include "attest/cose/key_certificate.hpp"
#include "attest/cose/signer.hpp"
#include "dlaunch/measure/hex.hpp"
#include "dlaunch/measure/openssl_releaser.hpp"
#include "policy/model/owner_set.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace casemate::test {

/// `count` keys, ascending.
inline std::vector<cose::Signer> owner_keys(std::size_t count) {
    std::vector<cose::Signer> keys;
    while (keys.size() < count) keys.push_back(cose::Signer::generate().value());
    std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.public_key() < b.public_key(); });
    return keys;
}

/// threshold | approval key | keys
inline std::vector<std::uint8_t> owner_set(std::uint8_t threshold, const cose::PublicPoint& approval, const std::vector<cose::Signer>& keys) {
    std::vector<std::uint8_t> bytes{threshold};
    bytes.insert(bytes.end(), approval.begin(), approval.end());
    for (const cose::Signer& key : keys) bytes.insert(bytes.end(), key.public_key().begin(), key.public_key().end());
    return bytes;
}

/// A key with certificates of its own making.
class CertifiedKey {
public:
    CertifiedKey() : key_{EVP_EC_gen("P-256")} {}

    [[nodiscard]] cose::Signer signer() const {
        const std::unique_ptr<BIO, Releaser<BIO_free_all>> bio{BIO_new(BIO_s_mem())};
        if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) std::abort();
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio.get(), &data);
        return cose::Signer::from_pem({data, static_cast<std::size_t>(size)}).value();
    }
    [[nodiscard]] std::string id() const { return measure::to_hex(cose::key_id(signer().public_key())); }

    struct Wish {
        std::string name = "owner";
        const char* constraints = "critical,CA:FALSE";
        const char* usage = "critical,digitalSignature";
        const CertifiedKey* issuer = nullptr; // another key than its own
    };
    /// Seconds since the Unix epoch. DER.
    [[nodiscard]] std::vector<std::uint8_t> certificate(std::int64_t not_before, std::int64_t not_after) const {
        return certificate(not_before, not_after, Wish{});
    }
    [[nodiscard]] std::vector<std::uint8_t> certificate(std::int64_t not_before, std::int64_t not_after, const Wish& wish) const {
        const std::unique_ptr<X509, Releaser<X509_free>> made{X509_new()};
        X509_set_version(made.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
        ASN1_TIME_set(X509_getm_notBefore(made.get()), not_before);
        ASN1_TIME_set(X509_getm_notAfter(made.get()), not_after);
        X509_NAME* const name = X509_get_subject_name(made.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(wish.name.data()), -1, -1, 0);
        X509_set_issuer_name(made.get(), name);
        X509_set_pubkey(made.get(), key_.get());
        for (const auto& [nid, value] : {std::pair{NID_basic_constraints, wish.constraints}, {NID_key_usage, wish.usage}}) {
            const std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>> extension{X509V3_EXT_conf_nid(nullptr, nullptr, nid, value)};
            X509_add_ext(made.get(), extension.get(), -1);
        }
        if (X509_sign(made.get(), wish.issuer != nullptr ? wish.issuer->key_.get() : key_.get(), EVP_sha256()) <= 0) std::abort();
        unsigned char* der = nullptr;
        const int size = i2d_X509(made.get(), &der);
        std::vector<std::uint8_t> bytes(der, der + size);
        OPENSSL_free(der);
        return bytes;
    }

private:
    std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>> key_;
};

} // namespace casemate::test
