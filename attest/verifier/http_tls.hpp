// SPDX-License-Identifier: Apache-2.0
// The TLS side of the HTTP server: TLS 1.3 only, no resumption, and client certificates of one authority when the
// options name one. Called by the HTTP server and its sessions.
#pragma once

#include <memory>

#include <boost/asio/ssl/context.hpp>

#include "attest/verifier/http_server.hpp"

namespace casemate::verifier {

/// Of the files as they are now. Throws HttpStartError.
[[nodiscard]] std::shared_ptr<boost::asio::ssl::context> make_tls(const HttpOptions& options);

/// The client's certificate after a handshake, when it showed one and its path was verified.
[[nodiscard]] std::optional<ClientCertificate> client_certificate(const SSL& connection);

} // namespace casemate::verifier
