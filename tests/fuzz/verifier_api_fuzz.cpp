// SPDX-License-Identifier: Apache-2.0
// The verifier's HTTP bodies: any route, any caller, any bytes; and evidence that is good but for one member. Never an
// incident (500), always a JSON answer, and no grant on a quote that the platform's TPM did not make.
#include "tests/unit/verifier_fixture.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::test;

namespace {

constexpr const char* members[] = {"challenge_id", "quote", "signature", "log", "gates", "leases", "firmware_log"};

/// One verifier for some hundred inputs: its store only grows.
struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    unsigned inputs = 0;
    Scene() {
        if (verifier.accept(*platform).status != 200) std::abort();
        verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    }
};

Scene& scene() {
    static std::unique_ptr<Scene> current;
    if (!current || ++current->inputs > 500) current = std::make_unique<Scene>();
    return *current;
}

Json checked(const verifier::HttpAnswer& answer) {
    const Json body = Json::parse(answer.body, nullptr, false);
    if (answer.status >= 500 || !body.is_object()) std::abort();
    if (answer.status >= 400 && !body.contains("error")) std::abort();
    return body;
}

Json send(Scene& at, const std::string& method, const std::string& path, const std::string& token, const std::string& body) {
    return checked(at.verifier.service->answer(
        {method, path, token.empty() ? "" : "Bearer " + token, "application/json", "", body, "fuzz"}));
}

void any_body(Scene& at, std::uint8_t choice, const std::string& body) {
    const std::string platform = "/v1/platforms/" + at.platform->id;
    const std::string id(32, 'b');
    const std::string paths[] = {"/v1/enrolments", "/v1/enrolments/" + id + "/activation", platform + "/challenges",
                                 platform + "/evidence", platform + "/rebinding", "/v1/grants/" + id + "/revocation",
                                 "/v1/grants/" + id + "/release", "/v1/reference", platform + "/status", platform + "/operator-orders", platform + "/secrets"};
    const std::string tokens[] = {"", at.platform->token, operator_token};
    const Json answer = send(at, "POST", paths[choice % std::size(paths)], tokens[choice / std::size(paths) % 3], body);
    if (answer.contains("grants") || answer.contains("token")) std::abort(); // no such thing for bytes of nobody
    for (const char* kept : {"/status", "/operator-orders"}) (void)send(at, "GET", platform + kept, operator_token, ""); // whatever was stored can be shown
    (void)send(at, "GET", platform + "/secrets", at.platform->token, "");
}

/// The member as fuzzer bytes, in base64 or, where they are JSON, as they are.
void bent_evidence(Scene& at, std::uint8_t choice, const std::string& text) {
    const Json challenge = send(at, "POST", "/v1/platforms/" + at.platform->id + "/challenges", at.platform->token, "{}");
    Json evidence = at.platform->evidence(challenge);
    const std::string good_quote = evidence["quote"];
    const Json parsed = Json::parse(text, nullptr, false);
    const std::string member = members[choice % std::size(members)];
    evidence[member] = parsed.is_discarded() ? Json(verifier::to_base64(verifier::as_bytes(text))) : parsed;
    const std::string body = evidence.dump(-1, ' ', false, Json::error_handler_t::replace);
    const Json answer = send(at, "POST", "/v1/platforms/" + at.platform->id + "/evidence", at.platform->token, body);
    if (answer.value("verdict", "") == "affirming" && evidence["quote"] != good_quote) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string text{reinterpret_cast<const char*>(data) + 1, size - 1}; // SAFETY: char and std::uint8_t alias
    if (data[0] < 0x60) any_body(scene(), data[0], text);
    else bent_evidence(scene(), data[0], text);
    return 0;
}
