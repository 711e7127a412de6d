// SPDX-License-Identifier: Apache-2.0
// The headers that every answer has: what a browser may make of it. Strict for all, so that what is no page cannot be made one;
// the page's own files say in HttpAnswer::headers what they need instead. Called by sessions and streams.
#pragma once

#include <boost/beast/http/fields.hpp>

#include "attest/verifier/http_server.hpp"

namespace casemate::verifier {

/// `fields`: those of a Beast response.
inline void set_headers(boost::beast::http::fields& fields, const HttpAnswer& answer) {
    using boost::beast::http::field;
    if (!answer.content_type.empty()) fields.set(field::content_type, answer.content_type);
    fields.set(field::cache_control, "no-store");
    fields.set("X-Content-Type-Options", "nosniff");
    fields.set("Referrer-Policy", "no-referrer");
    fields.set("Cross-Origin-Resource-Policy", "same-origin");
    fields.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    for (const auto& [name, value] : answer.headers) fields.set(name, value);
}

} // namespace casemate::verifier
