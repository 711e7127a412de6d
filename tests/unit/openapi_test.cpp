// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document against the table of routes, both ways, and against the service's answers: a real answer of every
// route that can succeed here, each member of it described, each required member there, all of the type that is said.
#include <catch2/catch.hpp>

#include <set>
#include <sstream>
#include <vector>

#include "attest/verifier/openapi.hpp"
#include "tests/unit/owner_sample.hpp"
#include "tests/unit/software_ek.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::Caller;
using verifier::Route;

namespace {

const Json& document() {
    static const Json parsed = Json::parse(verifier::openapi_document);
    return parsed;
}

const char* name_of(Caller caller) {
    switch (caller) {
    case Caller::anyone: return "anyone";
    case Caller::platform: return "platform";
    case Caller::viewer: return "viewer";
    case Caller::operator_: return "operator";
    case Caller::owner: return "owner";
    }
    return "";
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

const Json& resolved(const Json& schema) {
    if (!schema.contains("$ref")) return schema;
    return document().at(Json::json_pointer{schema["$ref"].get<std::string>().substr(1)});
}

bool of_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    return type == "boolean" && value.is_boolean();
}

/// What in `value` contradicts the schema; empty when nothing does. Knows the words that the document uses.
std::string contradiction(const Json& value, const Json& any_schema, const std::string& at) {
    const Json& schema = resolved(any_schema);
    if (!of_type(value, schema.at("type"))) return at + " is not of type " + schema["type"].get<std::string>();
    if (schema.contains("enum") && std::count(schema["enum"].begin(), schema["enum"].end(), value) == 0)
        return at + " is not one of the enumeration: " + value.dump();
    for (const Json& required : schema.value("required", Json::array()))
        if (!value.contains(required.get<std::string>())) return at + " lacks " + required.get<std::string>();
    if (value.is_array())
        for (std::size_t i = 0; i < value.size(); ++i)
            if (auto found = contradiction(value[i], schema.at("items"), at + "/" + std::to_string(i)); !found.empty()) return found;
    if (!value.is_object()) return {};
    const Json known = schema.value("properties", Json::object());
    for (const auto& [key, member] : value.items()) {
        if (known.contains(key)) {
            if (auto found = contradiction(member, known[key], at + "/" + key); !found.empty()) return found;
        } else if (schema.contains("additionalProperties") && schema["additionalProperties"] == false) {
            return at + "/" + key + " is not described";
        }
    }
    return {};
}

const Json& operation(const std::string& method, const std::string& pattern) {
    return document().at("paths").at(pattern).at(lower(method));
}

/// Calls a route, checks the answer, and remembers which routes were seen to succeed.
struct Witness {
    TestVerifier& verifier;
    std::set<std::string> seen{};

    Json call(const std::string& method, const std::string& pattern, const std::string& path, const std::string& token,
              const std::string& body = "") {
        const Reply reply = verifier.call(method, path, token, body);
        CAPTURE(method, pattern, reply.body.dump());
        CHECK(reply.status == 200);
        const Json& schema = operation(method, pattern)["responses"]["200"]["content"]["application/json"]["schema"];
        CHECK(contradiction(reply.body, schema, "") == "");
        if (!body.empty()) {
            const Json& wanted = operation(method, pattern)["requestBody"]["content"]["application/json"]["schema"];
            CHECK(contradiction(Json::parse(body), wanted, "") == "");
        }
        seen.insert(method + " " + pattern);
        return reply.body;
    }
    /// Of server-sent events: each data line of an audit event is a row as described.
    void stream(const std::string& path, const std::string& token) {
        verifier::HttpRequest request{"GET", path, "Bearer " + token, "", "", "", "127.0.0.1:9"};
        request.last_event_id = "0";
        const verifier::HttpAnswer answer = verifier.service->answer(request);
        REQUIRE(answer.stream);
        CHECK(operation("GET", path)["responses"]["200"]["content"].contains(answer.content_type));
        (void)answer.stream->next();
        std::istringstream lines{answer.stream->next().value()};
        int rows = 0;
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with("data: ")) {
                ++rows;
                CHECK(contradiction(Json::parse(line.substr(6)), Json{{"$ref", "#/components/schemas/TrailRow"}}, "") == "");
            }
        CHECK(rows > 10);
        seen.insert("GET " + path);
    }
};

} // namespace

TEST_CASE("the description says each name once in its object: a second one would take the place of the first", "[openapi]") {
    std::vector<std::set<std::string>> names;
    std::vector<std::string> twice;
    const Json::parser_callback_t look = [&](int, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::object_start) names.emplace_back();
        if (event == Json::parse_event_t::object_end) names.pop_back();
        if (event == Json::parse_event_t::key && !names.back().insert(value.get<std::string>()).second) twice.push_back(value);
        return true;
    };
    Json ignored = Json::parse(R"({"a": {"b": 1}, "b": 2})", look);
    REQUIRE(twice.empty());
    ignored = Json::parse(R"({"a": {"b": 1, "c": {}, "b": 2}})", look);
    REQUIRE(twice == std::vector<std::string>{"b"});
    twice.clear();
    ignored = Json::parse(verifier::openapi_document, look);
    CHECK(twice == std::vector<std::string>{});
}

TEST_CASE("the document and the table of routes list the same calls with the same least roles", "[verifier][openapi]") {
    const TestVerifier verifier;
    std::set<std::string> in_table;
    for (const Route& route : verifier.service->route_table()) {
        CAPTURE(route.method, route.pattern);
        in_table.insert(lower(route.method) + " " + route.pattern);
        REQUIRE(document()["paths"].contains(route.pattern));
        REQUIRE(document()["paths"][route.pattern].contains(lower(route.method)));
        const Json& described = operation(route.method, route.pattern);
        CHECK(described["x-casemate-role"] == name_of(route.caller));
        CHECK(described["security"].empty() == (route.caller == Caller::anyone));
        CHECK(described.contains("requestBody") == (route.body == verifier::Body::object));
        const auto placeholders = std::count(route.pattern.begin(), route.pattern.end(), '{');
        CHECK(described.value("parameters", Json::array()).size() == static_cast<std::size_t>(placeholders));
    }
    CHECK(in_table.size() == verifier.service->route_table().size()); // none twice
    for (const auto& [pattern, methods] : document()["paths"].items())
        for (const auto& [method, described] : methods.items()) {
            CAPTURE(method, pattern);
            CHECK(in_table.count(method + " " + pattern) == 1);
        }
    CHECK(document()["openapi"] == "3.1.0");
}

TEST_CASE("the running service answers as the document says, on every route", "[verifier][openapi]") {
    TestAuthority authority;
    TestVerifier verifier{authority.authorities()};
    Witness witness{verifier};
    const std::string platforms = "/v1/platforms/{platform}";
    witness.call("GET", "/v1/health", "/v1/health", "");
    CHECK(witness.call("GET", "/v1/openapi.json", "/v1/openapi.json", "") == document());

    SoftwareEk ek;
    const auto platform = verifier.platform('a');
    const Json offer = ek.offer(authority.certificate(ek), platform->ak_public());
    const Json begun = witness.call("POST", "/v1/enrolments", "/v1/enrolments", "", offer.dump());
    const Bytes secret = ek.activate(begun, platform->ak_public());
    witness.call("POST", "/v1/enrolments/{enrolment}/activation",
                 "/v1/enrolments/" + begun["enrolment_id"].get<std::string>() + "/activation", "",
                 Json{{"secret", verifier::to_base64(secret)}}.dump());

    const std::string at = "/v1/platforms/" + platform->id;
    const std::string owner = operator_token;
    const std::string reference =
        witness.call("POST", "/v1/reference", "/v1/reference", owner, TestVerifier::reference(*platform).dump())["reference_id"];
    const Json challenge = witness.call("POST", platforms + "/challenges", at + "/challenges", platform->token);
    const Json evidence = platform->evidence(challenge);
    const Json verdict = witness.call("POST", platforms + "/evidence", at + "/evidence", platform->token, evidence.dump());
    CHECK(verdict["verdict"] == "affirming");
    const Json kept = witness.call("GET", platforms + "/evidence", at + "/evidence", owner);
    const std::string grant = verifier.store->grants(1).at(0).id;
    for (const char* list : {"/v1/platforms", "/v1/grants", "/v1/results", "/v1/reference", "/v1/rules"})
        CHECK_FALSE(witness.call("GET", list, list, owner).begin()->empty());
    witness.call("GET", platforms + "/detail", at + "/detail", owner);
    witness.call("GET", platforms + "/result", at + "/result", owner);
    witness.call("GET", platforms + "/chain", at + "/chain", owner);
    const Json trial{{"platform_id", platform->id}, {"nonce", kept["nonce"]}, {"evidence", kept["evidence"]}};
    witness.call("POST", "/v1/appraisals", "/v1/appraisals", owner, trial.dump());
    const std::string result = std::to_string(kept["result_id"].get<int>());
    witness.call("POST", "/v1/results/{result}/appraisal", "/v1/results/" + result + "/appraisal", owner);
    witness.call("POST", "/v1/grants/{grant}/revocation", "/v1/grants/" + grant + "/revocation", owner);
    witness.call("GET", platforms + "/orders", at + "/orders", platform->token);
    witness.call("POST", "/v1/grants/{grant}/release", "/v1/grants/" + grant + "/release", owner);
    const Json bootstrap = witness.call("POST", platforms + "/bootstrap", at + "/bootstrap", owner,
                                        Json{{"reference", reference}, {"device", "0000:00:03.0"}, {"vm", "net0"}, {"lease_seconds", 5}}.dump());
    CHECK(witness.call("GET", platforms + "/bootstrap", at + "/bootstrap", owner)["bootstrap_grants"].size() == 1);
    witness.call("POST", "/v1/bootstrap/{grant}/withdrawal", "/v1/bootstrap/" + bootstrap["grant_id"].get<std::string>() + "/withdrawal", owner);
    const Json order_one = witness.call("POST", platforms + "/operator-orders", at + "/operator-orders", owner, R"({"vm":"net0","order":"stop"})");
    const Json offered = witness.call("POST", platforms + "/status", at + "/status", platform->token, R"({"vms":[]})");
    CHECK(offered["orders"][0]["id"] == order_one["id"]);
    witness.call("POST", platforms + "/status", at + "/status", platform->token, R"({"agent":{"operator_orders":[{"id":1,"error":3}]}})");
    witness.call("GET", platforms + "/status", at + "/status", owner);
    CHECK(witness.call("GET", platforms + "/operator-orders", at + "/operator-orders", owner)["orders"][0]["error"] == 3);
    witness.call("POST", platforms + "/operator-orders/withdrawal", at + "/operator-orders/withdrawal", owner);
    witness.call("POST", platforms + "/secrets", at + "/secrets", owner,
                 R"({"secrets":[{"vm":"disk0","name":"volume-key","sealed":"AQID","approvals":["BAUG"]}]})");
    CHECK(witness.call("GET", platforms + "/secrets", at + "/secrets", platform->token)["secrets"].size() == 1);
    for (const char* rest : {"/rebinding", "/approval", "/quarantine", "/reinstatement", "/retirement"})
        witness.call("POST", platforms + rest, at + rest, owner);
    witness.call("GET", "/v1/inventory", "/v1/inventory", owner);
    witness.call("POST", "/v1/inventory", "/v1/inventory", owner,
                 Json{{"entries", {{{"platform_id", std::string(64, 'e')}, {"label", "rack 7"}}}}}.dump());
    witness.call("GET", "/v1/inventory/{platform}", "/v1/inventory/" + std::string(64, 'e'), owner);
    witness.call("DELETE", "/v1/inventory/{platform}", "/v1/inventory/" + std::string(64, 'e'), owner);
    witness.call("POST", "/v1/rules", "/v1/rules", owner, R"({"minimum_policy_epoch":7})");
    const test::CertifiedKey key;
    const Json new_key{{"purpose", "owner"}, {"certificate", verifier::to_base64(key.certificate(1, 4'000'000'000))}};
    CHECK(witness.call("POST", "/v1/keys", "/v1/keys", owner, new_key.dump())["key_id"] == key.id());
    witness.call("GET", "/v1/keys", "/v1/keys", owner);
    witness.call("POST", "/v1/keys/{key}/revocation", "/v1/keys/" + key.id() + "/revocation", owner);
    const Json made = witness.call("POST", "/v1/tokens", "/v1/tokens", owner,
                                   R"({"name":"alice","role":"viewer","lifetime_seconds":60})");
    witness.call("GET", "/v1/tokens", "/v1/tokens", owner);
    witness.call("DELETE", "/v1/tokens/{token}", "/v1/tokens/" + made["token_id"].get<std::string>(), owner);
    witness.call("DELETE", "/v1/reference/{reference}", "/v1/reference/" + reference, owner);
    witness.call("GET", "/v1/audit", "/v1/audit", owner);
    witness.call("POST", "/v1/audit/search", "/v1/audit/search", owner, R"({"words":"revoke","limit":5})");
    witness.call("GET", "/v1/session", "/v1/session", owner);
    witness.stream("/v1/events", owner);
    CHECK(witness.call("POST", "/v1/audit/export", "/v1/audit/export", owner, R"({"after":0,"limit":3})")["lines"].size() == 3);

    for (const Route& route : verifier.service->route_table()) {
        CAPTURE(route.method, route.pattern);
        CHECK(witness.seen.count(route.method + " " + route.pattern) == 1);
    }
    const Reply refused = verifier.call("GET", "/v1/grants", "");
    CHECK(contradiction(refused.body, Json{{"$ref", "#/components/schemas/Error"}}, "") == "");
}

TEST_CASE("the schema check of these tests finds what is wrong", "[verifier][openapi]") {
    const Json schema = R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"array","items":{"type":"string","enum":["x"]}}},
                            "required":["a"],"additionalProperties":false})"_json;
    CHECK(contradiction(R"({"a":1,"b":["x"]})"_json, schema, "") == "");
    for (const char* bad : {R"({})", R"({"a":"1"})", R"({"a":1.5})", R"({"a":1,"b":["y"]})", R"({"a":1,"b":[1]})", R"({"a":1,"c":1})", R"([])"})
        CHECK(contradiction(Json::parse(bad), schema, "") != "");
}
