// SPDX-License-Identifier: Apache-2.0
// See http_session.hpp.
#include "attest/verifier/http_session.hpp"

#include "attest/verifier/http_headers.hpp"
#include "attest/verifier/http_streaming.hpp"
#include "attest/verifier/http_tls.hpp"

namespace casemate::verifier {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Field = http::field;

constexpr const char* too_large =
    R"({"error":{"code":"too_large","detail":"the request is larger than this server takes"}})";

constexpr std::size_t tls_record = 16 * 1024; // most of one [RFC 8446 5.1]

std::string name_of(const SessionSocket& socket) {
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return "unknown";
    return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

std::string field(const http::request<http::string_body>& request, Field name) {
    const beast::string_view value = request[name];
    return {value.data(), value.size()};
}

HttpRequest to_request(http::request<http::string_body>& request, const std::string& peer,
                       const std::optional<ClientCertificate>& certificate) {
    const auto text = [](beast::string_view view) { return std::string(view.data(), view.size()); };
    return {text(request.method_string()),
            text(request.target()),
            field(request, Field::authorization),
            field(request, Field::content_type),
            field(request, Field::content_encoding),
            std::move(request.body()),
            peer,
            certificate,
            field(request, Field::host),
            field(request, Field::origin),
            field(request, Field::if_none_match),
            text(request["Last-Event-ID"]),
            field(request, Field::accept)};
}

} // namespace

HttpSession::HttpSession(SessionSocket socket, std::shared_ptr<boost::asio::ssl::context> tls, SessionShare& share,
                         std::string address)
    : share_{share}, tls_{std::move(tls)}, stream_{std::move(socket), *tls_}, address_{std::move(address)},
      peer_{name_of(beast::get_lowest_layer(stream_))} {
    ++share_.connections;
}

HttpSession::~HttpSession() {
    share_.peers.leave(address_);
    --share_.connections;
}

void HttpSession::arm() { deadline_.after(share_.options.request_time); }

void HttpSession::start() {
    deadline_.belongs_to(weak_from_this());
    arm();
    stream_.async_handshake(boost::asio::ssl::stream_base::server,
                            [self = shared_from_this()](beast::error_code error) {
                                if (error) return;
                                self->certificate_ = client_certificate(*self->stream_.native_handle());
                                self->read();
                            });
}

void HttpSession::read() {
    parser_.emplace();
    parser_->header_limit(share_.options.max_header);
    parser_->body_limit(share_.options.max_body);
    arm();
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
        self->on_header(error);
    });
}

/// From here on the request counts: a server that stops waits for it.
void HttpSession::on_header(beast::error_code error) {
    ++share_.answering;
    if (error) return give_up(error);
    arm();
    // Beast reads as much at a time as the buffer has room for: a record of TLS, instead of 512 bytes.
    if (parser_->content_length().value_or(0) > buffer_.capacity()) buffer_.reserve(tls_record);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code failed, std::size_t) { self->on_body(failed); });
}

void HttpSession::on_body(beast::error_code error) {
    if (error) return give_up(error);
    http::request<http::string_body>& request = parser_->get();
    HttpAnswer result = share_.handler(to_request(request, peer_, certificate_));
    if (result.stream) return begin_stream(result);
    answer(std::move(result), request.keep_alive() && !share_.stopping);
}

void HttpSession::give_up(beast::error_code error) {
    if (error == http::error::body_limit) return answer({413, too_large}, false);
    if (error == http::error::header_limit) return answer({431, too_large}, false);
    --share_.answering;
    if (error == http::error::end_of_stream) goodbye();
    // Otherwise malformed, timed out or gone: nobody to talk to.
}

void HttpSession::answer(HttpAnswer result, bool keep_alive) {
    response_ = Response{static_cast<http::status>(result.status), 11};
    set_headers(response_, result);
    response_.keep_alive(keep_alive);
    response_.body() = std::move(result.body);
    response_.prepare_payload();
    arm();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
        self->on_write(error);
    });
}

void HttpSession::begin_stream(const HttpAnswer& result) {
    const auto ended = [self = shared_from_this()](bool in_order) {
        --self->share_.answering;
        if (in_order) self->goodbye();
    };
    std::make_shared<HttpStreaming>(stream_, deadline_, share_, result.stream, ended)->start(result);
}

void HttpSession::on_write(beast::error_code error) {
    --share_.answering;
    if (error) return;
    parser_.reset(); // thousands of connections wait: each holds as little as it can
    response_.body() = {};
    buffer_.shrink_to_fit();
    if (response_.keep_alive()) return read();
    goodbye();
}

void HttpSession::goodbye() {
    arm();
    stream_.async_shutdown([self = shared_from_this()](beast::error_code) {}); // the socket closes with the session
}

} // namespace casemate::verifier
