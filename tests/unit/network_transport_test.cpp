// SPDX-License-Identifier: Apache-2.0
// The agent's road without a line: the same requests as over the UART, and nobody but the verifier at the other end.
#include "attest/agent/network_transport.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::agent;

namespace {

struct Far {
    std::vector<relay::VerifierCall> calls{};
    relay::VerifierAnswer answer{200, R"({"a":1})"};
    NetworkTransport transport{[this](const relay::VerifierCall& call) {
        calls.push_back(call);
        return answer;
    }};
};

} // namespace

TEST_CASE("a request reaches the verifier as it is, and its answer comes back", "[agent][bootstrap]") {
    Far far;
    const auto response = far.transport.exchange({"POST", "/v1/enrolments", "token", {{"x", 2}}});
    REQUIRE(response.ok());
    CHECK(response.value().status == 200);
    CHECK(response.value().body == Json{{"a", 1}});
    REQUIRE(far.calls.size() == 1);
    CHECK(far.calls[0].method == "POST");
    CHECK(far.calls[0].path == "/v1/enrolments");
    CHECK(far.calls[0].token == "token");
    CHECK(far.calls[0].body == R"({"x":2})");
}

TEST_CASE("a verifier that does not answer, or not with JSON, is one that cannot be reached", "[agent][bootstrap]") {
    Far far;
    for (const relay::VerifierAnswer& bad : {relay::VerifierAnswer{0, "no route"}, relay::VerifierAnswer{200, "<html>"}}) {
        far.answer = bad;
        const auto response = far.transport.exchange({"GET", "/v1/health", "", nullptr});
        REQUIRE(response.ok());
        CHECK(response.value().status == 0);
        CHECK(response.value().body["error"]["code"] == "verifier_unreachable");
    }
}

TEST_CASE("what the relay answers to the others goes to the verifier, about this platform and with its token", "[agent][mail]") {
    Far far;
    CHECK(far.transport.report_path("abcd") == "/v1/platforms/abcd/status");
    CHECK(far.transport.secrets_path("abcd") == "/v1/platforms/abcd/secrets");
    far.answer = {200, R"({"orders":[{"id":7,"vm":"disk0","order":"stop"}]})"};
    const auto answer = far.transport.exchange({"POST", far.transport.report_path("abcd"), "token", {{"vms", 1}}});
    CHECK(answer.value().body["orders"][0]["id"] == 7);
    CHECK(far.transport.exchange({"GET", far.transport.secrets_path("abcd"), "token", nullptr}).value().status == 200);
    REQUIRE(far.calls.size() == 2);
    CHECK(far.calls[0].path == "/v1/platforms/abcd/status");
    CHECK(far.calls[0].token == "token");
    CHECK(far.calls[0].body == R"({"vms":1})");
    CHECK(far.calls[1].method == "GET");
    CHECK(far.calls[1].path == "/v1/platforms/abcd/secrets");
}

TEST_CASE("only calls of the verifier's interface leave the VM", "[agent][bootstrap]") {
    Far far;
    CHECK(far.transport.exchange({"GET", "/elsewhere", "", nullptr}).value().status == 400);
    CHECK(far.calls.empty());
}

TEST_CASE("an answer that the other road could not carry is none here either", "[agent][mail]") {
    Far far;
    far.answer = {200, Json{{"secrets", std::string(300 * 1024, 'x')}}.dump()};
    const auto answer = far.transport.exchange({"GET", far.transport.secrets_path("abcd"), "token", nullptr});
    CHECK(answer.value().status == 0);
    CHECK(answer.value().body["error"]["code"] == "answer_too_large");
}
