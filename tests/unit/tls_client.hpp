// SPDX-License-Identifier: Apache-2.0
// A TLS 1.3 client that can be slow, silent or show a certificate: for tests of the HTTPS server only.
#pragma once

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace casemate::test {

class TlsClient {
public:
    /// Empty paths: no certificate is shown.
    explicit TlsClient(std::uint16_t port, const std::filesystem::path& certificate = {}, const std::filesystem::path& key = {}) {
        std::signal(SIGPIPE, SIG_IGN); // the server may close while we write
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
        if (!certificate.empty()) {
            SSL_CTX_use_certificate_file(context_.get(), certificate.c_str(), SSL_FILETYPE_PEM);
            SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM);
        }
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval limit{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        tls_.reset(SSL_new(context_.get()));
        SSL_set_fd(tls_.get(), socket_);
        connected_ = connected_ && SSL_connect(tls_.get()) == 1;
    }
    ~TlsClient() { ::close(socket_); }
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    [[nodiscard]] bool connected() const { return connected_; }
    /// SHA-256 of the server's certificate, as bytes; empty without one.
    [[nodiscard]] std::string peer_fingerprint() const {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        const X509* certificate = SSL_get0_peer_certificate(tls_.get());
        if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return {};
        return {reinterpret_cast<const char*>(digest), size};
    }
    bool send(const std::string& text) { return SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size()); }
    /// What comes until `end` was seen or the server closed.
    std::string receive(const std::string& end) {
        std::string all;
        char buffer[4096];
        while (all.find(end) == std::string::npos) {
            const int count = SSL_read(tls_.get(), buffer, sizeof buffer);
            if (count <= 0) break;
            all.append(buffer, static_cast<std::size_t>(count));
        }
        return all;
    }
    /// The server ended the connection; false when it just says nothing for 20 s.
    [[nodiscard]] bool closed() {
        char byte = 0;
        const int count = SSL_read(tls_.get(), &byte, 1);
        return count <= 0 && SSL_get_error(tls_.get(), count) != SSL_ERROR_WANT_READ;
    }
    /// Status of one request; 0 when the server closed instead.
    int ask(const std::string& method, const std::string& path, const std::string& body = "") {
        if (!send(method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body))
            return 0;
        const std::string answer = receive("\r\n");
        return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
    }

private:
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, SSL_free};
    int socket_ = -1;
    bool connected_ = false;
};

} // namespace casemate::test
