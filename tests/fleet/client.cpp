// SPDX-License-Identifier: Apache-2.0
// See client.hpp.
#include "tests/fleet/client.hpp"

#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace casemate::fleet {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr const char* address = "127.0.0.1";
constexpr std::size_t answer_size = 4096; // of most: read at once
/// For one operation: a fleet that hangs ends, and one that is done waits for nothing.
class Patience {
public:
    explicit Patience(verifier::Deadline<ClientSocket>& deadline) : deadline_{deadline} { deadline_.after(std::chrono::seconds{60}); }
    ~Patience() { deadline_.stop(); }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

private:
    verifier::Deadline<ClientSocket>& deadline_;
};

} // namespace

Target::Target(std::uint16_t port, const std::filesystem::path& authority)
    : endpoint{asio::ip::make_address(address), port} {
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION);
    tls.load_verify_file(authority.string());
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.set_verify_callback(asio::ssl::host_name_verification{address});
}

Task<> Client::connect() {
    ClientSocket& transport = beast::get_lowest_layer(stream_);
    deadline_.belongs_to(weak_from_this());
    const Patience limited{deadline_};
    co_await transport.async_connect(target_.endpoint, asio::use_awaitable);
    transport.set_option(asio::ip::tcp::no_delay{true}); // a request may be longer than a segment
    buffer_.reserve(answer_size);
    co_await stream_.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

Task<HttpReply> Client::call(HttpCall call) {
    http::request<http::string_body> request{http::string_to_verb(call.method), call.path, 11};
    request.set(http::field::host, address);
    if (!call.token.empty()) request.set(http::field::authorization, "Bearer " + call.token);
    if (!call.content_encoding.empty()) request.set(http::field::content_encoding, call.content_encoding);
    request.set(http::field::content_type, "application/json");
    request.body() = std::move(call.body);
    request.prepare_payload();
    {
        const Patience limited{deadline_};
        co_await http::async_write(stream_, request, asio::use_awaitable);
    }
    co_return co_await read_reply();
}

Task<HttpReply> Client::read_reply() {
    http::response<http::string_body> response;
    const Patience limited{deadline_};
    co_await http::async_read(stream_, buffer_, response, asio::use_awaitable);
    co_return HttpReply{static_cast<int>(response.result_int()), std::move(response.body())};
}

Task<> Client::send_raw(std::string bytes) {
    const Patience limited{deadline_};
    co_await asio::async_write(stream_, asio::buffer(bytes), asio::use_awaitable);
}

void Client::drop() {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
}

} // namespace casemate::fleet
