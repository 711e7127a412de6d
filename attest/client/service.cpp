// SPDX-License-Identifier: Apache-2.0
// See service.hpp.
#include "attest/client/service.hpp"

#include "attest/client/token_file.hpp"
#include "attest/relay/verifier_client.hpp"

namespace casemate::client {
namespace {

using verifier::Json;

constexpr std::size_t max_answer = 64 * 1024 * 1024;
constexpr std::chrono::seconds call_time{30};

Failure<CallError> not_made(std::string why) { return {{CallError::Kind::not_made, 0, {}, std::move(why), {}}}; }

/// What an operator can do about a refusal; empty when its own sentence says it.
std::string next_step(const std::string& code) {
    if (code == "role") return "Ask somebody with that role, or use their token or certificate";
    if (code == "operator_only" || code == "certificate_unknown") return "Look at --token, or at the service's operators' file";
    if (code == "rate") return "Try again in a moment";
    if (code.ends_with("_unknown")) return "The list command shows what there is";
    return {};
}

} // namespace

std::string CallError::sentence() const {
    if (kind == Kind::not_made) return detail;
    const std::string step = next_step(code);
    return "refused (" + (code.empty() ? std::to_string(status) : code) + "): " + detail + (step.empty() ? "" : ". " + step);
}

Called understood(int status, const std::string& body) {
    Json answer = Json::parse(body, nullptr, false);
    if (status == 200 && answer.is_object()) return answer;
    const bool ours = answer.is_object() && answer.contains("error") && answer["error"].is_object();
    if (!ours) return Failure{CallError{CallError::Kind::refused, status, {}, "an answer that is none of this service's", {}}};
    const auto word = [&](const char* name) {
        const auto found = answer["error"].find(name);
        return found != answer["error"].end() && found->is_string() ? found->get<std::string>() : std::string{};
    };
    return Failure{CallError{CallError::Kind::refused, status, word("code"), word("detail"), answer}};
}

Called RemoteService::call(const std::string& method, const std::string& path, const std::string& body) {
    const std::string missing = missing_in(options_);
    if (!missing.empty()) return not_made(missing);
    std::string token;
    if (!options_.token_file.empty()) {
        const auto read = read_token(options_.token_file);
        if (!read.ok()) return not_made(read.error());
        token = read.value();
    }
    relay::VerifierClient client{options_.url, options_.authority, call_time, max_answer};
    if (!options_.certificate.empty()) client.show_certificate(options_.certificate, options_.key);
    const relay::VerifierAnswer answer = client.call({method, path, token, method == "POST" ? body : ""});
    if (answer.status == 0)
        return not_made("no answer from " + options_.url + ": " + answer.body + ". Does the service run there, and is --ca its authority?");
    return understood(answer.status, answer.body);
}

} // namespace casemate::client
