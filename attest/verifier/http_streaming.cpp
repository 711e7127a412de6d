// SPDX-License-Identifier: Apache-2.0
// See http_streaming.hpp.
#include "attest/verifier/http_streaming.hpp"

#include <boost/asio/write.hpp>

#include "attest/verifier/http_headers.hpp"

namespace casemate::verifier {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr int send_buffer = 64 * 1024; // of the system, for one stream

} // namespace

HttpStreaming::HttpStreaming(Connection& connection, SessionDeadline& deadline, const SessionShare& share, std::shared_ptr<HttpStream> source,
                             Ended ended)
    : connection_{connection}, deadline_{deadline}, share_{share}, source_{std::move(source)}, ended_{std::move(ended)},
      timer_{connection.get_executor()} {}

void HttpStreaming::arm() { deadline_.after(share_.options.request_time); }

void HttpStreaming::start(const HttpAnswer& answer) {
    boost::system::error_code ignored;
    beast::get_lowest_layer(connection_).set_option(asio::socket_base::send_buffer_size(send_buffer), ignored);
    header_.result(static_cast<unsigned>(answer.status));
    set_headers(header_, answer);
    header_.keep_alive(false);
    header_.chunked(true);
    watch();
    arm();
    http::async_write_header(connection_, serializer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
        if (error) return self->break_off();
        self->step();
    });
}

/// Pending as long as the stream: has no time limit.
void HttpStreaming::watch() {
    connection_.async_read_some(asio::buffer(&unexpected_, 1), [self = shared_from_this()](beast::error_code, std::size_t) {
        if (self->complete_) return self->end(true);
        self->break_off();
    });
}

void HttpStreaming::wait() {
    deadline_.never();
    timer_.expires_after(share_.options.stream_interval);
    timer_.async_wait([self = shared_from_this()](beast::error_code error) {
        if (!error) self->step();
    });
}

void HttpStreaming::step() {
    if (over_) return;
    if (share_.stopping) return send_end();
    std::optional<std::string> piece = source_->next();
    if (!piece) return send_end();
    if (piece->empty()) return wait();
    send(std::move(*piece));
}

void HttpStreaming::send(std::string piece) {
    piece_ = std::move(piece);
    arm();
    asio::async_write(connection_, http::make_chunk(asio::const_buffer(piece_.data(), piece_.size())),
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return self->break_off();
                          self->wait();
                      });
}

void HttpStreaming::send_end() {
    arm();
    asio::async_write(connection_, http::make_chunk_last(), [self = shared_from_this()](beast::error_code error, std::size_t) {
        if (error || self->over_) return self->break_off();
        self->complete_ = true;
        boost::system::error_code ignored;
        beast::get_lowest_layer(self->connection_).cancel(ignored); // watch() goes on from here: a goodbye reads too
    });
}

void HttpStreaming::break_off() {
    if (over_) return;
    boost::system::error_code ignored;
    beast::get_lowest_layer(connection_).close(ignored); // with everything that is pending
    end(false);
}

void HttpStreaming::end(bool in_order) {
    over_ = true;
    timer_.cancel();
    source_.reset(); // its place is free for another
    ended_(in_order); // and keeps the connection: what was cancelled still comes back to it
}

} // namespace casemate::verifier
