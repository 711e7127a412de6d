// SPDX-License-Identifier: Apache-2.0
// See operations.hpp.
#include "attest/verifier/operations.hpp"

#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

HttpAnswer json(int status, const Json& body) { return {status, body.dump()}; }

HttpAnswer refusal(const ApiError& error) {
    return json(error.status, {{"error", {{"code", error.code}, {"detail", error.detail}}}});
}

std::optional<Sha256> hash_of(const std::string& token) {
    if (token.empty()) return std::nullopt;
    return sha256(as_bytes("Bearer " + token));
}

std::string_view address_of(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

} // namespace

Operations::Operations(const Context& context, const cose::Signer& signer, const OperatorRegister& operators,
                       const std::string& scrape_token, std::function<ConnectionCounts()> connections)
    : context_{context}, authenticator_{context, operators}, scrape_token_hash_{hash_of(scrape_token)},
      connections_{std::move(connections)}, readiness_{context, signer}, strangers_{context.settings.stranger_rate} {}

std::optional<HttpAnswer> Operations::answer(const HttpRequest& request) const {
    const bool known = request.target == "/healthz" || request.target == "/readyz" || request.target == "/metrics";
    if (!known) return std::nullopt;
    try {
        if (request.method != "GET") return refusal({405, "method", "this path has no such method"});
        if (request.target == "/healthz") return json(200, {{"status", "ok"}});
        return request.target == "/readyz" ? ready() : metrics(request);
    } catch (const std::exception& failure) {
        context_.metrics->incident();
        log(LogLevel::error, "incident", {{"what", failure.what()}});
        return refusal({500, "internal", "denied"});
    }
}

HttpAnswer Operations::ready() const {
    const Json reasons = readiness_.reasons();
    if (reasons.empty()) return json(200, {{"status", "ready"}});
    return json(503, {{"status", "not_ready"}, {"reasons", reasons}});
}

HttpAnswer Operations::metrics(const HttpRequest& request) const {
    const Status<ApiError> allowed = may_scrape(request);
    if (!allowed) return refusal(allowed.error());
    if (connections_) context_.metrics->connections(connections_());
    (void)readiness_.reasons(); // the gauge is of now
    return {200, context_.metrics->text(), Metrics::content_type};
}

Status<ApiError> Operations::may_scrape(const HttpRequest& request) const {
    if (scrape_token_hash_ && equal(sha256(as_bytes(request.authorization)), *scrape_token_hash_)) return Done{};
    const Result<Principal, ApiError> caller = authenticator_.operator_(request);
    if (caller) return Done{};
    if (!strangers_.take(address_of(request.peer), context_.now())) return refuse(429, "rate", "too many requests: wait a second");
    return Failure{caller.error()};
}

} // namespace casemate::verifier
