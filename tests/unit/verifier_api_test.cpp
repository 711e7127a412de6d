// SPDX-License-Identifier: Apache-2.0
// Who may call what, and what a request must look like: every route with no token, a stranger's, an expired one and the
// wrong role; the grammar of ids; forms of bodies.
#include <catch2/catch.hpp>

#include "attest/store/sqlite.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

TEST_CASE("platform routes want that platform's own, living token", "[verifier]") {
    TestVerifier verifier;
    const auto mine = verifier.platform('a');
    const auto other = verifier.platform('b');
    for (const auto& [method, rest] : {std::pair{"POST", "/challenges"}, {"POST", "/evidence"}, {"GET", "/orders"}}) {
        const std::string path = "/v1/platforms/" + mine->id + rest;
        CHECK(verifier.call(method, path, "").code() == "token_missing");
        CHECK(verifier.call(method, path, other->token).code() == "token_wrong");
        CHECK(verifier.call(method, path, operator_token).code() == "token_wrong");
        CHECK(verifier.call(method, "/v1/platforms/" + std::string(64, 'c') + rest, mine->token).code() == "token_wrong");
    }
    verifier.now += 3'600'000;
    CHECK(verifier.call("POST", "/v1/platforms/" + mine->id + "/challenges", mine->token).code() == "token_expired");
}

TEST_CASE("operator routes want the operator's token", "[verifier]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    const std::string grant = "/v1/grants/" + std::string(32, '0');
    for (const auto& [method, path] : std::initializer_list<std::pair<const char*, std::string>>{
             {"GET", "/v1/platforms"}, {"GET", "/v1/grants"}, {"GET", "/v1/results"}, {"GET", "/v1/audit"},
             {"GET", "/v1/reference"}, {"POST", "/v1/reference"}, {"DELETE", "/v1/reference/" + std::string(64, '0')},
             {"GET", "/v1/platforms/" + platform->id + "/evidence"}, {"POST", grant + "/revocation"}, {"POST", grant + "/release"},
             {"POST", "/v1/platforms/" + platform->id + "/rebinding"}}) {
        CAPTURE(path);
        CHECK(verifier.call(method, path, "").status == 401);
        CHECK(verifier.call(method, path, platform->token).code() == "operator_only");
        CHECK(verifier.call(method, path, operator_token).code() != "operator_only");
    }
}

TEST_CASE("paths and ids follow one grammar", "[verifier]") {
    TestVerifier verifier;
    const std::string id(64, 'a');
    for (const std::string& path : std::initializer_list<std::string>{"/", "", "/v1", "/v1/platforms/" + id,
                                    "/v1/platforms/" + std::string(63, 'a') + "/orders", "/v1/platforms/" + std::string(64, 'A') + "/orders",
                                    "/v1/platforms/" + id + "/orders/", "/v1/platforms/" + id + "/orders?x=1", "//v1/health",
                                    "/v1/platforms/..%2f/orders", std::string(5000, 'a')})
        CHECK(verifier.call("GET", path, operator_token).code() == "path");
    CHECK(verifier.call("PUT", "/v1/health", "").code() == "method");
    CHECK(verifier.call("GET", "/v1/health", "").body["status"] == "ok");
}

TEST_CASE("bodies are JSON objects, plain and only where they belong", "[verifier]") {
    TestVerifier verifier;
    verifier::HttpRequest request{"POST", "/v1/enrolments", "", "application/json", "", "{}", "test"};
    const auto code = [&] { return Json::parse(verifier.service->answer(request).body)["error"]["code"]; };
    CHECK(code() == "member");
    request.content_encoding = "gzip";
    CHECK(code() == "content_encoding");
    request.content_encoding.clear();
    request.content_type = "text/plain";
    CHECK(code() == "content_type");
    request.content_type = "application/json; charset=utf-8";
    request.body = "{\"a\":1,\"a\":2}";
    CHECK(code() == "json");
    CHECK(verifier.as_operator("GET", "/v1/grants", "{\"x\":1}").code() == "body");
}

TEST_CASE("a failing store ends in deny and an incident, not in an answer", "[verifier]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    REQUIRE(verifier.accept(*platform).status == 200);
    const Json challenge = verifier.challenge(*platform);
    store::Connection saboteur{verifier.directory / "db"};
    saboteur.execute("DROP TABLE grants");
    verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    const Reply reply = verifier.submit(*platform, platform->evidence(challenge));
    CHECK(reply.status == 500);
    CHECK(reply.code() == "internal");
    CHECK_FALSE(reply.body.contains("grants"));
}
