// SPDX-License-Identifier: Apache-2.0
// See router.hpp.
#include "attest/verifier/router.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <optional>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/grants.hpp"
#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_target = 256;

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        parts.push_back(path.substr(0, slash));
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return parts;
}

bool is_placeholder(std::string_view part) { return part.starts_with('{'); }

constexpr std::size_t max_number = 18; // digits that fit 64 bits

/// One spelling of each number.
bool is_number(std::string_view text) {
    if (text.empty() || text.size() > max_number || text[0] == '0') return false;
    return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_id(std::string_view name, std::string_view text) {
    if (name == "result") return is_number(text);
    return is_hex_id(text, name == "platform" || name == "reference" || name == "key" ? 64 : 32);
}

/// Address without the port: who reconnects is the same stranger.
std::string_view address_of(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

Role least_role(Caller caller) {
    if (caller == Caller::viewer) return Role::viewer;
    return caller == Caller::operator_ ? Role::operator_ : Role::owner;
}

bool is_operators(Caller caller) { return caller != Caller::anyone && caller != Caller::platform; }

bool allowed(const Route& route, const Principal& caller) {
    return !is_operators(route.caller) || caller.role >= least_role(route.caller);
}

Failure<ApiError> refuse_role(const Route& route, const Principal& caller) {
    return refuse(403, "role", std::string("this call needs the role ") + name_of(least_role(route.caller)) + ", and " +
                                   caller.name + " has the role " + name_of(caller.role));
}

const char* const too_often = "too many requests: wait a second";

using Steps = std::vector<std::string_view>;

std::vector<Steps> split_all(const std::vector<Route>& routes) {
    std::vector<Steps> all;
    for (const Route& route : routes) all.push_back(split(route.pattern));
    return all;
}

/// The ids in `given` when it has the pattern's shape.
std::optional<Call> match(const Steps& wanted, const Steps& given) {
    if (wanted.size() != given.size()) return std::nullopt;
    Call call;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!is_placeholder(wanted[i])) {
            if (wanted[i] != given[i]) return std::nullopt;
            continue;
        }
        const std::string_view name = wanted[i].substr(1, wanted[i].size() - 2);
        if (!is_id(name, given[i])) return std::nullopt;
        call.ids.emplace(name, given[i]);
    }
    return call;
}

std::string error_body(const ApiError& error) {
    const Json body{{"error", {{"code", error.code}, {"detail", error.detail}}}};
    return body.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// Unique for this process, and hardly ever that of another one.
std::string new_request_id() {
    static const std::string process = to_hex(random_bytes(6));
    static std::atomic<std::uint64_t> count{0};
    return process + "-" + std::to_string(++count);
}

HttpAnswer incident(const Context& context, const std::string& id, const char* what) {
    context.metrics->incident();
    log(LogLevel::error, "incident", {{"id", id}, {"what", what}});
    return {500, error_body({500, "internal", "denied; incident " + id})};
}

HttpAnswer no_signature(const std::string& id, const char* what) {
    log(LogLevel::error, "signing_unavailable", {{"id", id}, {"what", what}});
    return {503, error_body({503, "signing_unavailable", "the key that signs grants cannot be used: nothing was decided, try again"})};
}

Status<ApiError> check_body_form(const HttpRequest& request) {
    if (!request.content_encoding.empty()) return refuse(415, "content_encoding", "compressed bodies are not taken");
    const std::string_view type = std::string_view{request.content_type}.substr(0, request.content_type.find(';'));
    if (type != "application/json") return refuse(415, "content_type", "the body must be application/json");
    return Done{};
}

} // namespace

Router::Router(const Context& context, const OperatorRegister& operators, std::vector<Route> routes)
    : context_{context}, authenticator_{context, operators}, routes_{std::move(routes)},
      patterns_{split_all(routes_)}, callers_{context.settings.caller_rate}, strangers_{context.settings.stranger_rate} {}

HttpAnswer Router::answer(const HttpRequest& request) const {
    const std::string id = new_request_id();
    HttpAnswer answer = answer_of(request, id);
    answer.headers.emplace_back("X-Request-Id", id);
    return answer;
}

HttpAnswer Router::answer_of(const HttpRequest& request, const std::string& id) const {
    const auto begun = std::chrono::steady_clock::now();
    const Route* route = nullptr;
    const auto count = [&](int status) {
        context_.metrics->request(route != nullptr ? route->method : "other", route != nullptr ? route->pattern : "none", status,
                                  std::chrono::steady_clock::now() - begun);
    };
    try {
        if (const PageFile* file = request.method == "GET" ? page_file(request.target, request.accept) : nullptr) return page(*file, request);
        const auto deferral = context_.store.defer_takes();
        const Outcome result = dispatch(request, route);
        deferral->settle(); // no answer before all that it was given for is on the disk
        const int status = result ? 200 : result.error().status;
        count(status);
        if (const LogLevel level = result ? LogLevel::info : LogLevel::warning; is_logged(level))
            log(level, "request",
                {{"id", id}, {"peer", request.peer}, {"method", route != nullptr ? route->method : "other"}, {"status", status},
                 {"path", route != nullptr ? request.target : ""}, {"code", result ? "" : result.error().code},
                 {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count()}});
        if (!result) return {status, error_body(result.error())};
        if (result.value().stream) return {status, {}, "text/event-stream", {}, result.value().stream};
        return {status, result.value().body.dump()};
    } catch (const SigningUnavailable& failure) {
        count(503);
        return no_signature(id, failure.what());
    } catch (const std::exception& failure) {
        count(500);
        return incident(context_, id, failure.what());
    } catch (...) {
        count(500);
        return incident(context_, id, "unknown");
    }
}

/// Not logged: it is the same for everybody.
HttpAnswer Router::page(const PageFile& file, const HttpRequest& request) const {
    if (!strangers_.take(address_of(request.peer), context_.now())) return {429, error_body({429, "rate", too_often})};
    return verifier::answer_of(file, request.if_none_match);
}

Router::Outcome Router::dispatch(const HttpRequest& request, const Route*& matched) const {
    if (!request.origin.empty() && request.origin != "https://" + request.host)
        return refuse(403, "origin", "a page of another origin may not call this service");
    bool path_known = false;
    const bool sane = request.target.size() <= max_target && !request.target.ends_with('/');
    const Steps given = sane ? split(request.target) : Steps{};
    for (std::size_t i = 0; sane && i < routes_.size(); ++i) {
        const Route& route = routes_[i];
        std::optional<Call> call = match(patterns_[i], given);
        if (!call) continue;
        path_known = true;
        if (route.method != request.method) continue;
        matched = &route;
        return run(route, std::move(*call), request);
    }
    if (path_known) return refuse(405, "method", "this path has no such method");
    return refuse(404, "path", "no such path");
}

Router::Outcome Router::run(const Route& route, Call call, const HttpRequest& request) const {
    call.caller = TRY(authorize(route, call, request));
    const bool may = allowed(route, call.caller);
    const Outcome answer = may ? handle(route, call, request) : refuse_role(route, call.caller);
    // That there are too many streams tells of nobody's intent, and the row would go out as an event to all of them.
    if (!answer && !(may && route.stream)) audit_refusal(route, call, request, answer.error());
    return answer;
}

/// Of callers that showed who they are: what strangers try here is in the log only, or they could fill the trail.
void Router::audit_refusal(const Route& route, const Call& call, const HttpRequest& request, const ApiError& error) const {
    if (route.caller == Caller::anyone) return;
    context_.audit(route.caller == Caller::platform ? call.id("platform") : actor_of(call.caller), "call", request.target,
                   "refused", request.method + ", " + error.code + ": " + error.detail);
}

Router::Outcome Router::handle(const Route& route, Call& call, const HttpRequest& request) const {
    if (route.body == Body::object) {
        TRY(check_body_form(request));
        call.body = TRY(parse_object(request.body));
        call.raw_body = request.body;
    } else if (!request.body.empty() && request.body != "{}") {
        return refuse(400, "body", "this call takes no body");
    }
    Reply reply;
    if (route.stream) {
        call.last_event_id = request.last_event_id;
        reply.stream = TRY(route.stream(call, later(route, call, request)));
    } else {
        reply.body = TRY(route.handler(call));
    }
    return reply;
}

std::function<bool()> Router::later(const Route& route, const Call& call, const HttpRequest& request) const {
    return [this, &route, asked = Call{call}, request]() mutable {
        const Result<Principal, ApiError> caller = identify(route, asked, request);
        return caller.ok() && allowed(route, caller.value());
    };
}

Result<Principal, ApiError> Router::authorize(const Route& route, Call& call, const HttpRequest& request) const {
    Result<Principal, ApiError> caller = identify(route, call, request);
    const Millis now = context_.now();
    const bool known = caller.ok() && route.caller != Caller::anyone;
    const bool within = known ? callers_.take(caller.value().name, now)
                              : strangers_.take(address_of(request.peer), now);
    if (!within) return refuse(429, "rate", too_often);
    return caller;
}

Result<Principal, ApiError> Router::identify(const Route& route, Call& call, const HttpRequest& request) const {
    if (route.caller == Caller::anyone) return Principal{};
    if (route.caller != Caller::platform) return authenticator_.operator_(request);
    call.platform = TRY(authenticator_.platform(request, call.id("platform")));
    return Principal{call.platform->identity.platform_id, Role::viewer};
}

} // namespace casemate::verifier
