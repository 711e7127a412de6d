// SPDX-License-Identifier: Apache-2.0
// One answer that goes on: asks its HttpStream for more, sends it as a chunk [RFC 9112 7.1], and asks again once the client has taken it.
// Invariant: at most one piece is in memory and the system's buffer is small, so a client that does not read costs no more than that, and is
// cut off when it has not taken a piece within the request time. A client that sends anything is done with.
// Lives as long as an operation is pending (shared_from_this), on the strand of its session. Made by HttpSession only.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "attest/verifier/http_session.hpp"
#include "attest/verifier/session_socket.hpp"

namespace casemate::verifier {

class HttpStreaming : public std::enable_shared_from_this<HttpStreaming> {
public:
    using Connection = SessionStream;
    /// Called once; the argument says whether the connection is still good for a goodbye. Holds the session as long as this lives.
    using Ended = std::function<void(bool in_order)>;

    HttpStreaming(Connection& connection, SessionDeadline& deadline, const SessionShare& share, std::shared_ptr<HttpStream> source, Ended ended);
    void start(const HttpAnswer& answer);

private:
    /// Until the client closes, or sends what it should not.
    void watch();
    void wait();
    void step();
    void send(std::string piece);
    void send_end();
    void break_off();
    void end(bool in_order);
    void arm();

    Connection& connection_;
    SessionDeadline& deadline_; // of writing only: the client may be silent for ever
    const SessionShare& share_;
    std::shared_ptr<HttpStream> source_;
    Ended ended_;
    boost::asio::steady_timer timer_;
    boost::beast::http::response<boost::beast::http::empty_body> header_;
    boost::beast::http::response_serializer<boost::beast::http::empty_body> serializer_{header_};
    std::string piece_;
    char unexpected_ = 0;
    bool complete_ = false; // the last chunk is written
    bool over_ = false;
};

} // namespace casemate::verifier
