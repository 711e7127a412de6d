// SPDX-License-Identifier: Apache-2.0
// See http_tls.hpp.
#include "attest/verifier/http_tls.hpp"

#include <ctime>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "attest/verifier/crypto.hpp"
#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {

namespace {

namespace asio = boost::asio;

/// A platform has no client certificate, so showing none is allowed; one that does not verify ends the handshake.
void ask_for_client_certificates(SSL_CTX* context, const std::filesystem::path& authority) {
    const std::string file = authority.string();
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(context, file.c_str()) != 1)
        throw HttpStartError("cannot use the authority of client certificates " + file);
    SSL_CTX_set_client_CA_list(context, names); // takes ownership
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

std::string subject_of(const X509& certificate) {
    const std::unique_ptr<BIO, Releaser<BIO_free_all>> text{BIO_new(BIO_s_mem())};
    require(text && X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253) >= 0,
            "print a name");
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::int64_t end_of(const X509& certificate) {
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &end) != 1) return 0; // counts as expired
    return static_cast<std::int64_t>(::timegm(&end)) * 1000;
}

} // namespace

std::shared_ptr<asio::ssl::context> make_tls(const HttpOptions& options) {
    auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    asio::ssl::context& context = *made;
    boost::system::error_code error;
    if (SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION) != 1)
        throw HttpStartError("OpenSSL has no TLS 1.3");
    SSL_CTX_set_num_tickets(context.native_handle(), 0); // no resumption: every connection is a full handshake
    SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
    if (context.use_certificate_chain_file(options.certificate.string(), error))
        throw HttpStartError("cannot use the TLS certificate " + options.certificate.string() + ": " + error.message());
    if (context.use_private_key_file(options.key.string(), asio::ssl::context::pem, error))
        throw HttpStartError("cannot use the TLS key " + options.key.string() + ": " + error.message());
    if (!options.client_authority.empty()) ask_for_client_certificates(context.native_handle(), options.client_authority);
    return made;
}

std::optional<ClientCertificate> client_certificate(const SSL& connection) {
    const X509* certificate = SSL_get0_peer_certificate(&connection);
    if (certificate == nullptr || SSL_get_verify_result(&connection) != X509_V_OK) return std::nullopt;
    Sha256 digest{};
    unsigned size = 0;
    require(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1 && size == digest.size(), "fingerprint");
    return ClientCertificate{to_hex(digest), subject_of(*certificate), end_of(*certificate)};
}

} // namespace casemate::verifier
