// SPDX-License-Identifier: Apache-2.0
// From an HTTP request to a handler: one table of routes (routes.cpp), the grammar of ids, who may call what and how
// often, the body's checks, and the one place where an unexpected failure becomes "deny + incident id".
// Order of the checks: path, method, identity and role of the caller, rate, body. Nothing about the body is said to
// strangers, and a stranger who is refused too often is told only that.
#pragma once

#include <map>
#include <vector>

#include "attest/verifier/authenticator.hpp"
#include "attest/verifier/rate_limit.hpp"

namespace casemate::verifier {

/// The least that a caller must be: viewer < operator_ < owner are operators' roles.
enum class Caller { anyone, platform, viewer, operator_, owner };
enum class Body { none, object };

/// What a handler gets: checked ids by their names in the pattern, the parsed body, and the body as received.
struct Call {
    std::map<std::string, std::string, std::less<>> ids;
    Json body = Json::object();
    std::string raw_body;
    Principal caller; // empty for anyone

    [[nodiscard]] const std::string& id(std::string_view name) const { return ids.find(name)->second; }
};

/// `{platform}` and `{reference}` in a pattern stand for 64 hexadecimal digits, `{result}` for a decimal number, any other
/// `{name}` for 32 hexadecimal digits.
struct Route {
    std::string method;
    std::string pattern;
    Caller caller = Caller::owner;
    Body body = Body::none;
    std::function<Answer(const Call&)> handler;
};

class Router {
public:
    Router(const Context& context, CertificateMap certificates, std::vector<Route> routes);

    /// Never throws.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;

    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

private:
    [[nodiscard]] Answer dispatch(const HttpRequest& request) const;
    [[nodiscard]] Answer run(const Route& route, Call call, const HttpRequest& request) const;
    [[nodiscard]] Answer handle(const Route& route, Call& call, const HttpRequest& request) const;
    void audit_refusal(const Route& route, const Call& call, const HttpRequest& request, const ApiError& error) const;
    [[nodiscard]] Result<Principal, ApiError> authorize(const Route& route, const Call& call, const HttpRequest& request) const;
    [[nodiscard]] Result<Principal, ApiError> identify(const Route& route, const Call& call, const HttpRequest& request) const;

    const Context& context_;
    const Authenticator authenticator_;
    const std::vector<Route> routes_;
    mutable RateLimit callers_;
    mutable RateLimit strangers_;
};

} // namespace casemate::verifier
