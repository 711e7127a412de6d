// SPDX-License-Identifier: Apache-2.0
// HTTPS with keep-alive for thousands of connections on one thread: each Client is one connection, its operations are
// coroutines of one io_context. TLS 1.3, the server's certificate is checked against one authority. A connection that ends
// throws boost::system::system_error.
#pragma once

#include <filesystem>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "attest/verifier/deadline.hpp"

namespace casemate::fleet {

template <typename T = void>
using Task = boost::asio::awaitable<T>;

using ClientSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// The service under load, at 127.0.0.1.
struct Target {
    Target(std::uint16_t port, const std::filesystem::path& authority);

    boost::asio::ip::tcp::endpoint endpoint;
    boost::asio::ssl::context tls{boost::asio::ssl::context::tls_client};
};

struct HttpCall {
    std::string method;
    std::string path;
    std::string token;
    std::string body;
    std::string content_encoding = {}; // header left out when empty
};

struct HttpReply {
    int status = 0;
    std::string body;
};

class Client : public std::enable_shared_from_this<Client> {
public:
    Client(boost::asio::io_context& io, Target& target) : target_{target}, stream_{io, target.tls} {}

    [[nodiscard]] Task<> connect();
    [[nodiscard]] Task<HttpReply> call(HttpCall call);
    /// For those who do not speak HTTP as they should.
    [[nodiscard]] Task<> send_raw(std::string bytes);
    [[nodiscard]] Task<HttpReply> read_reply();
    /// No farewell.
    void drop();

private:
    Target& target_;
    boost::beast::ssl_stream<ClientSocket> stream_;
    verifier::Deadline<ClientSocket> deadline_{boost::beast::get_lowest_layer(stream_)};
    boost::beast::flat_buffer buffer_;
};

} // namespace casemate::fleet
