// SPDX-License-Identifier: Apache-2.0
// From an HTTP request to a handler: one table of routes (routes.cpp), the grammar of ids, who may call what and how
// often, the body's checks, and the one place where an unexpected failure becomes "deny + incident id".
// Each answer carries the id that the log has for its request (X-Request-Id). Of a path that no route has, nothing is logged: it may
// hold anything, a token in a mistyped command too.
// Order of the checks: path, method, identity and role of the caller, rate, body. Nothing about the body is said to
// strangers, and a stranger who is refused too often is told only that. Files of the operator's page are for anyone.
// A browser adds its client certificate to what any page makes it ask: a request that says it is of another origin is refused.
#pragma once

#include <map>
#include <vector>

#include "attest/verifier/authenticator.hpp"
#include "attest/verifier/events.hpp"
#include "attest/verifier/page.hpp"
#include "attest/verifier/rate_limit.hpp"

namespace casemate::verifier {

/// The least that a caller must be: viewer < operator_ < owner are operators' roles.
enum class Caller { anyone, platform, viewer, operator_, owner };
enum class Body { none, object };

/// What a handler gets: checked ids by their names in the pattern, the parsed body, and the body as received.
struct Call {
    std::map<std::string, std::string, std::less<>> ids;
    Json body = Json::object();
    std::string_view raw_body; // of the request, while it is answered
    Principal caller; // empty for anyone
    std::string last_event_id; // UNTRUSTED
    std::optional<store::Platform> platform{}; // that calls about itself, as it was when its token was checked

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
    /// Instead of `handler`. The function says later whether the caller might still make this call.
    std::function<StreamAnswer(const Call&, std::function<bool()>)> stream{};
};

class Router {
public:
    Router(const Context& context, const OperatorRegister& operators, std::vector<Route> routes);

    /// Never throws.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;

    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

private:
    struct Reply {
        Json body{};
        std::shared_ptr<HttpStream> stream{}; // instead of `body`
    };
    using Outcome = Result<Reply, ApiError>;

    /// `matched`: the route whose path and method it is, if any.
    [[nodiscard]] Outcome dispatch(const HttpRequest& request, const Route*& matched) const;
    [[nodiscard]] HttpAnswer answer_of(const HttpRequest& request, const std::string& id) const;
    [[nodiscard]] Outcome run(const Route& route, Call call, const HttpRequest& request) const;
    [[nodiscard]] Outcome handle(const Route& route, Call& call, const HttpRequest& request) const;
    [[nodiscard]] HttpAnswer page(const PageFile& file, const HttpRequest& request) const;
    [[nodiscard]] std::function<bool()> later(const Route& route, const Call& call, const HttpRequest& request) const;
    void audit_refusal(const Route& route, const Call& call, const HttpRequest& request, const ApiError& error) const;
    [[nodiscard]] Result<Principal, ApiError> authorize(const Route& route, Call& call, const HttpRequest& request) const;
    [[nodiscard]] Result<Principal, ApiError> identify(const Route& route, Call& call, const HttpRequest& request) const;

    const Context& context_;
    const Authenticator authenticator_;
    const std::vector<Route> routes_;
    const std::vector<std::vector<std::string_view>> patterns_; // of routes_, step by step
    mutable RateLimit callers_;
    mutable RateLimit strangers_;
};

} // namespace casemate::verifier
