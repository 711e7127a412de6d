// SPDX-License-Identifier: Apache-2.0
// The connections of the HTTP server. Their executor is named, not type-erased: it is copied several times an operation.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>

namespace casemate::verifier {

using SessionExecutor = boost::asio::strand<boost::asio::io_context::executor_type>;
using SessionSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, SessionExecutor>;
using SessionStream = boost::beast::ssl_stream<boost::beast::basic_stream<boost::asio::ip::tcp, SessionExecutor>>;

} // namespace casemate::verifier
