// SPDX-License-Identifier: Apache-2.0
// The connections of the HTTP server. Their executor is named, not type-erased: it is copied several times an operation; and they have one
// deadline (deadline.hpp), not one for each operation.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>

#include "attest/verifier/deadline.hpp"

namespace casemate::verifier {

using SessionExecutor = boost::asio::strand<boost::asio::io_context::executor_type>;
using SessionSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, SessionExecutor>;
using SessionStream = boost::beast::ssl_stream<SessionSocket>;
using SessionDeadline = Deadline<SessionSocket>;

} // namespace casemate::verifier
