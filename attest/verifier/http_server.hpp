// SPDX-License-Identifier: Apache-2.0
// HTTPS server: TLS 1.3 only, HTTP/1.1 with keep-alive, one handler for all requests.
// Invariant: every wait is bounded (handshake, request, answer, goodbye), and so are header, body and number of
// connections; a client can cost no more than that. The handler runs on one of the server's threads, may be called
// by several at once, and must not throw. Called by casemate-verifierd and its tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace casemate::verifier {

/// UNTRUSTED: all of it.
struct HttpRequest {
    std::string method;
    std::string target;
    std::string authorization;
    std::string content_type;
    std::string content_encoding;
    std::string body;
    std::string peer; // address and port, for the log
};

struct HttpAnswer {
    int status = 500;
    std::string body; // JSON
};

struct HttpOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0; // 0 = chosen by the system
    std::filesystem::path certificate; // PEM chain
    std::filesystem::path key;         // PEM
    unsigned threads = 2;
    std::size_t max_connections = 256;
    std::uint32_t max_header = 8 * 1024;
    std::uint64_t max_body = 1024 * 1024;
    std::chrono::milliseconds request_time{30'000}; // also how long a kept connection may be idle
    std::chrono::milliseconds stop_time{3'000};     // for requests under way when the server stops
};

/// Says in one sentence why the server cannot start.
class HttpStartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class HttpServer {
public:
    using Handler = std::function<HttpAnswer(const HttpRequest&)>;

    /// Listens on return; throws HttpStartError.
    HttpServer(const HttpOptions& options, Handler handler);
    /// Stops.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// No new connection; answers what is under way, then closes all.
    void stop();

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace casemate::verifier
