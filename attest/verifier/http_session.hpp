// SPDX-License-Identifier: Apache-2.0
// One TLS connection of the HTTP server, from handshake to goodbye. Lives as long as an operation is pending
// (shared_from_this); all its operations run on one strand. Made by HttpServer only.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "attest/verifier/http_server.hpp"
#include "attest/verifier/peer_connections.hpp"
#include "attest/verifier/session_socket.hpp"

namespace casemate::verifier {

/// What all sessions of a server share.
struct SessionShare {
    const HttpOptions& options;
    const HttpServer::Handler& handler;
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> answering{0}; // requests whose header has arrived and whose answer is not yet written
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> refused{0};
    PeerConnections peers;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
public:
    /// `address` was entered in `share.peers`; the session leaves it.
    HttpSession(SessionSocket socket, std::shared_ptr<boost::asio::ssl::context> tls, SessionShare& share,
                std::string address);
    ~HttpSession();
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;

    void start();

private:
    void read();
    void on_header(boost::beast::error_code error);
    void on_body(boost::beast::error_code error);
    /// No whole request came.
    void give_up(boost::beast::error_code error);
    void answer(HttpAnswer result, bool keep_alive);
    /// From here on the connection belongs to the stream, and ends with it.
    void begin_stream(const HttpAnswer& result);
    void on_write(boost::beast::error_code error);
    void goodbye();
    /// The next operation must end within the request time.
    void arm();

    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    using Response = boost::beast::http::response<boost::beast::http::string_body>;

    SessionShare& share_;
    const std::shared_ptr<boost::asio::ssl::context> tls_;
    SessionStream stream_;
    SessionDeadline deadline_{boost::beast::get_lowest_layer(stream_)};
    boost::beast::flat_buffer buffer_;
    std::string address_;
    std::string peer_; // address and port
    std::optional<ClientCertificate> certificate_;
    std::optional<Parser> parser_;
    Response response_;
};

} // namespace casemate::verifier
