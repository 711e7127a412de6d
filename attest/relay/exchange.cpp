// SPDX-License-Identifier: Apache-2.0
// See exchange.hpp.
#include "attest/relay/exchange.hpp"

#include "attest/relay/frame.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::relay {
namespace {

using verifier::Json;
constexpr std::string_view report_path = "/relay/report", secrets_path = "/relay/secrets";
constexpr std::size_t max_token = 256;
constexpr std::size_t max_path = 256;

Json problem(int status, const char* code, const std::string& detail) {
    return {{"status", status}, {"body", {{"error", {{"code", code}, {"detail", detail}}}}}};
}

bool only(std::string_view text, std::string_view extra) {
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain && extra.find(c) == std::string_view::npos) return false;
    }
    return true;
}

bool allowed(const VerifierCall& call) {
    const bool method = call.method == "GET" || call.method == "POST";
    const bool path = call.path.size() <= max_path && call.path.starts_with("/v1/") && only(call.path, "/-_");
    return method && path && call.token.size() <= max_token && only(call.token, "-_.~+/=");
}

std::string text(const Json& request, const char* name) {
    const auto member = request.find(name);
    return member != request.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

Json what_waits(const Exchange::Waiting& source) {
    Json body = source ? Json::parse(source(), nullptr, false) : Json::object();
    return body.is_object() ? body : Json::object();
}

/// A verifier's body is JSON, or a stranger answered.
Json from_verifier(const VerifierAnswer& answer) {
    if (answer.status == 0) return problem(0, "verifier_unreachable", answer.body);
    Json body = Json::parse(answer.body, nullptr, false);
    if (body.is_discarded()) return problem(0, "verifier_unreachable", "the answer is not JSON");
    return {{"status", answer.status}, {"body", std::move(body)}};
}

} // namespace

std::string Exchange::answer(std::string_view payload) const {
    const Result<Json, verifier::ApiError> parsed = verifier::parse_object(payload);
    if (!parsed) return {};
    const Json& request = parsed.value();
    const auto id = request.find("id");
    if (id == request.end() || !id->is_number_unsigned()) return {};

    const std::string body = request.contains("body") ? request["body"].dump() : std::string{};
    const VerifierCall call{text(request, "method"), text(request, "path"), text(request, "token"), body};
    Json response;
    if (call.path == report_path && call.method == "POST") {
        report_(body);
        response = {{"status", 200}, {"body", what_waits(orders_)}};
    } else if (call.path == secrets_path && call.method == "GET") {
        response = {{"status", 200}, {"body", what_waits(secrets_)}};
    } else if (!allowed(call)) {
        response = problem(400, "request", "the relay carries GET and POST to /v1/ only");
    } else {
        response = from_verifier(verifier_(call));
    }
    response["id"] = *id;
    std::string text = response.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (text.size() <= max_payload) return text;
    response = problem(0, "answer_too_large", "the answer does not fit a frame");
    response["id"] = *id;
    return response.dump();
}

} // namespace casemate::relay
