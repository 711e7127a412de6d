// SPDX-License-Identifier: Apache-2.0
// HTTPS server: TLS 1.3 only, HTTP/1.1 with keep-alive, one handler for all requests.
// Invariant: every wait is bounded (handshake, request, answer, goodbye), and so are header, body and number of
// connections, in all and of one address; a client can cost no more than that. A client certificate, when one is shown,
// is of the configured authority, for this purpose and valid, or the handshake fails. The handler runs on one of the server's threads, may be called
// by several at once, and must not throw. Called by casemate-verifierd and its tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attest/verifier/metrics.hpp"
#include "attest/verifier/principal.hpp"

namespace casemate::verifier {

/// UNTRUSTED: all of it.
struct HttpRequest {
    std::string method;
    std::string target;
    std::string authorization;
    std::string content_type;
    std::string content_encoding;
    std::string body;
    std::string peer; // address and port
    std::optional<ClientCertificate> client_certificate{}; // only of the configured authority, and valid
    std::string host{};
    std::string origin{};        // set by browsers: whose page asks [RFC 6454 7]
    std::string if_none_match{}; // [RFC 9110 13.1.2]
    std::string last_event_id{}; // [HTML, server-sent events]
    std::string accept{};
};

/// A body that has no end yet and is sent piece by piece. Asked on the server's threads, one at a time, whenever the client has taken
/// what there was before and `stream_interval` has passed.
class HttpStream {
public:
    virtual ~HttpStream() = default;
    /// What is to be sent now, may be empty; nothing: it has ended. Must not throw, and not wait for anybody.
    [[nodiscard]] virtual std::optional<std::string> next() = 0;
};

struct HttpAnswer {
    int status = 500;
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{}; // more, or instead of those that every answer has
    std::shared_ptr<HttpStream> stream{};                       // instead of `body`
};

struct HttpOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0; // 0 = chosen by the system
    std::filesystem::path certificate; // PEM chain
    std::filesystem::path key;         // PEM
    std::filesystem::path client_authority; // PEM; whose client certificates count, empty = none is asked for
    unsigned threads = 16; // more than processors: most of them wait for the store's disk, together
    std::size_t max_connections = 256;
    std::size_t max_peer_connections = 0; // of one address; 0 = all but 16 or an eighth, whichever is less
    std::uint32_t max_header = 8 * 1024;
    std::uint64_t max_body = 1024 * 1024;
    std::chrono::milliseconds request_time{30'000}; // for idling and header together, and for the body
    std::chrono::milliseconds stop_time{3'000};     // for requests under way when the server stops
    std::chrono::milliseconds stream_interval{250}; // how often a stream is asked for more
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
    [[nodiscard]] ConnectionCounts connections() const;
    /// Reads certificate, key and client authority again, for connections from now on. Throws HttpStartError, and then all is as before.
    void reload_tls();
    /// No new connection; answers every request whose header has arrived, ends the streams, then closes all.
    void stop();

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace casemate::verifier
