// SPDX-License-Identifier: Apache-2.0
// From an HTTP request to a handler: one table of routes (routes.cpp of the service), the grammar of ids, who may call what,
// the body's checks, and the one place where an unexpected failure becomes "deny + incident id".
// Order of the checks: path, method, identity of the caller, body. Nothing about the body is said to strangers.
#pragma once

#include <map>
#include <vector>

#include "attest/verifier/context.hpp"
#include "attest/verifier/http_server.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

enum class Caller { anyone, platform, operator_ };
enum class Body { none, object };

/// What a handler gets: checked ids by their names in the pattern, the parsed body, and the body as received.
struct Call {
    std::map<std::string, std::string, std::less<>> ids;
    Json body = Json::object();
    std::string raw_body;

    [[nodiscard]] const std::string& id(std::string_view name) const { return ids.find(name)->second; }
};

/// `{platform}` and `{reference}` in a pattern stand for 64, any other `{name}` for 32 hexadecimal digits.
struct Route {
    std::string method;
    std::string pattern;
    Caller caller = Caller::operator_;
    Body body = Body::none;
    std::function<Answer(const Call&)> handler;
};

class Router {
public:
    Router(const Context& context, std::vector<Route> routes) : context_{context}, routes_{std::move(routes)} {}

    /// Never throws.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;

private:
    [[nodiscard]] Answer dispatch(const HttpRequest& request) const;
    [[nodiscard]] Answer run(const Route& route, Call call, const HttpRequest& request) const;
    [[nodiscard]] Answer handle(const Route& route, Call& call, const HttpRequest& request) const;
    void audit_refusal(const Route& route, const Call& call, const HttpRequest& request, const ApiError& error) const;
    [[nodiscard]] Status<ApiError> authorize(const Route& route, const Call& call, const HttpRequest& request) const;
    [[nodiscard]] Status<ApiError> authorize_platform(const std::string& id, std::string_view token) const;

    const Context& context_;
    std::vector<Route> routes_;
};

} // namespace casemate::verifier
