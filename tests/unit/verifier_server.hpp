// SPDX-License-Identifier: Apache-2.0
// A real HTTPS server on a free loopback port, with a certificate made for the test.
#pragma once

#include <cstdio>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "attest/relay/verifier_client.hpp"
#include "attest/verifier/crypto.hpp"
#include "attest/verifier/http_server.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace casemate::test {

/// Writes tls.pem (self-signed, for 127.0.0.1) and tls.key into `directory`.
inline void make_tls_files(const ScratchDirectory& directory) {
    using verifier::require;
    const verifier::PublicKey key{EVP_EC_gen("P-256")};
    const verifier::Certificate certificate{X509_new()};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    const unsigned char common[] = "verifier";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_EXTENSION* san = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate.get(), san, -1);
    X509_EXTENSION_free(san);
    require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "sign");
    std::FILE* file = std::fopen((directory / "tls.pem").c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen((directory / "tls.key").c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
}

class TestServer {
public:
    explicit TestServer(verifier::HttpServer::Handler handler, verifier::HttpOptions limits = {}) {
        make_tls_files(directory);
        limits.certificate = directory / "tls.pem";
        limits.key = directory / "tls.key";
        options = limits;
        server = std::make_unique<verifier::HttpServer>(limits, std::move(handler));
    }
    [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(server->port()); }
    [[nodiscard]] std::filesystem::path authority() const { return directory / "tls.pem"; }
    relay::VerifierAnswer call(const relay::VerifierCall& call) const {
        relay::VerifierClient client{url(), authority(), std::chrono::seconds{10}, 1 << 20};
        return client.call(call);
    }

    ScratchDirectory directory;
    verifier::HttpOptions options;
    std::unique_ptr<verifier::HttpServer> server;
};

} // namespace casemate::test
