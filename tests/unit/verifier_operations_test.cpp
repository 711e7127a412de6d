// SPDX-License-Identifier: Apache-2.0
// What runs the service asks of it: who gets the metrics, what is in them (read by Prometheus' own client library), and when the
// service says that it is ready.
#include <catch2/catch.hpp>

#include <map>
#include <sstream>

#include "attest/store/sqlite.hpp"
#include "tests/unit/signing_stub.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

constexpr const char* scrape_token = "scrape-token-0123456789abcdef0123456";

verifier::Settings impatient() {
    verifier::Settings settings;
    settings.ready_lifetime = 0; // every asker looks
    settings.silent_after = 900'000;
    settings.shown_ages = 2;
    return settings;
}

verifier::HttpAnswer get(const TestVerifier& verifier, const char* path, const std::string& token = "", const char* method = "GET") {
    return verifier.service->answer({method, path, token.empty() ? "" : "Bearer " + token, "", "", "", "10.0.0.1:5"});
}

/// Every sample by its name and labels; not well-formed text fails the test.
std::map<std::string, double> samples(const TestVerifier& verifier) {
    const verifier::HttpAnswer answer = get(verifier, "/metrics", scrape_token);
    REQUIRE(answer.status == 200);
    CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
    const std::string text = verifier.directory / "metrics";
    const std::string read = verifier.directory / "samples";
    std::ofstream{text} << answer.body;
    REQUIRE(std::system((std::string{CASEMATE_PROMETHEUS_READ} + " " + text + " >" + read).c_str()) == 0);
    std::map<std::string, double> all;
    std::ifstream file{read};
    for (std::string line; std::getline(file, line);) {
        const std::size_t at = line.rfind(' ');
        all[line.substr(0, at)] = std::stod(line.substr(at + 1));
    }
    return all;
}

std::string code_of(const verifier::HttpAnswer& answer) { return Json::parse(answer.body)["error"]["code"]; }

} // namespace

TEST_CASE("anyone may ask whether the service lives and is ready, and learns a word", "[verifier][operations]") {
    const TestVerifier verifier{{}, impatient()};
    CHECK(get(verifier, "/healthz").body == R"({"status":"ok"})");
    const verifier::HttpAnswer ready = get(verifier, "/readyz");
    CHECK(ready.status == 200);
    CHECK(ready.body == R"({"status":"ready"})");
    for (const char* path : {"/healthz", "/readyz", "/metrics"}) CHECK(get(verifier, path, "", "POST").status == 405);
    for (const char* path : {"/healthz/", "/metrics?x=1", "/Metrics", "//metrics"}) CHECK(get(verifier, path, scrape_token).status == 404);
}

TEST_CASE("metrics are for the scrape token and operators of any role, and refused to everybody else", "[verifier][operations]") {
    TestVerifier verifier{{}, impatient(), scrape_token};
    const auto platform = verifier.platform('a');
    CHECK(get(verifier, "/metrics", scrape_token).status == 200);
    CHECK(get(verifier, "/metrics", operator_token).status == 200);
    CHECK(code_of(get(verifier, "/metrics")) == "token_missing");
    CHECK(code_of(get(verifier, "/metrics", platform->token)) == "operator_only");
    CHECK(code_of(get(verifier, "/metrics", std::string{scrape_token} + "x")) == "operator_only");
    CHECK(code_of(get(verifier, "/metrics", std::string{scrape_token}.substr(1))) == "operator_only");
    const Reply made = verifier.as_operator("POST", "/v1/tokens", R"({"name":"v","role":"viewer","lifetime_seconds":60})");
    CHECK(get(verifier, "/metrics", made.body["token"]).status == 200);
    verifier.now += 60'000;
    CHECK(code_of(get(verifier, "/metrics", made.body["token"])) == "token_expired");
    for (const char digit : {'1', '2', '3'}) CHECK(verifier.service->answer({"GET", "/metrics", "", "", "", "", "a:1",
        verifier::ClientCertificate{std::string(64, digit), "", 1'000'000'000'000}}).status == 200);
    CHECK(verifier.service->answer({"GET", "/metrics", "", "", "", "", "a:1",
        verifier::ClientCertificate{std::string(64, '9'), "", 1'000'000'000'000}}).status == 403);
    // The scrape token reads metrics and nothing else.
    CHECK(verifier.call("GET", "/v1/platforms", scrape_token).code() == "operator_only");
}

TEST_CASE("without a scrape token an empty one opens nothing", "[verifier][operations]") {
    const TestVerifier verifier{{}, impatient(), ""};
    for (const char* authorization : {"", "Bearer ", "Bearer"})
        CHECK(verifier.service->answer({"GET", "/metrics", authorization, "", "", "", "a:1"}).status != 200);
    CHECK(get(verifier, "/metrics", operator_token).status == 200);
}

TEST_CASE("a stranger who guesses at the metrics has a rate", "[verifier][operations]") {
    verifier::Settings settings = impatient();
    settings.stranger_rate = 1;
    const TestVerifier verifier{{}, settings, scrape_token};
    for (int i = 0; i < 2; ++i) CHECK(get(verifier, "/metrics", "guess").status == 403);
    CHECK(get(verifier, "/metrics", "guess").status == 429);
    CHECK(get(verifier, "/metrics", scrape_token).status == 200); // from the same address
}

TEST_CASE("the metrics count what happened", "[verifier][operations]") {
    TestVerifier verifier{{}, impatient(), scrape_token};
    const auto good = verifier.platform('a');
    const auto bad = verifier.platform('b');
    REQUIRE(verifier.accept(*good).status == 200);
    REQUIRE(verifier.attest(*good).body["verdict"] == "affirming");
    const Reply refused = verifier.submit(*bad, good->evidence(verifier.challenge(*bad)));
    REQUIRE(refused.body["verdict"] == "contraindicated");
    const std::string grant = verifier.store->grants(1).at(0).id;
    REQUIRE(verifier.as_operator("POST", "/v1/grants/" + grant + "/revocation").status == 200);
    CHECK(verifier.call("GET", "/v1/nothing/" + std::string(64, 'f'), operator_token).status == 404);
    verifier.service->watch().look();

    auto seen = samples(verifier);
    CHECK(seen["casemate_appraisals_total{verdict=\"affirming\"}"] == 1);
    CHECK(seen["casemate_appraisals_total{verdict=\"contraindicated\"}"] == 1);
    CHECK(seen["casemate_appraisal_reasons_total{reason=\"" + refused.body["reasons"][0]["code"].get<std::string>() +
               "\",verdict=\"contraindicated\"}"] == 1);
    const double granted = static_cast<double>(verifier.store->grants(100).size());
    CHECK(granted > 1);
    CHECK(seen["casemate_grants_total{what=\"issued\"}"] == granted);
    CHECK(seen["casemate_grants_total{what=\"revoked\"}"] == 1);
    CHECK(seen["casemate_grants_total{what=\"renewed\"}"] == 0);
    CHECK(seen["casemate_leases_live{}"] == granted - 1);
    CHECK(seen["casemate_leases_expiring{}"] == 0);
    CHECK(seen["casemate_platforms{state=\"active\"}"] == 2);
    CHECK(seen["casemate_platforms_never_attested{}"] == 1);
    CHECK(seen["casemate_ready{}"] == 1);
    CHECK(seen["casemate_audit_head{}"] == static_cast<double>(verifier.store->audit_head().sequence));
    const std::string route = "method=\"POST\",route=\"/v1/platforms/{platform}/evidence\"";
    CHECK(seen["casemate_http_requests_total{" + route + ",status=\"200\"}"] == 2);
    CHECK(seen["casemate_http_request_seconds_count{" + route + "}"] == 2);
    CHECK(seen["casemate_http_request_seconds_bucket{le=\"+Inf\"," + route + "}"] == 2);
    // Of a path that nobody knows no text becomes a label.
    CHECK(seen["casemate_http_requests_total{method=\"other\",route=\"none\",status=\"404\"}"] == 1);
    for (const auto& [series, value] : seen) CHECK(series.find("nothing") == std::string::npos);

    verifier.now += 31'000; // more than half of a minute's lease
    verifier.service->watch().look();
    seen = samples(verifier);
    CHECK(seen["casemate_leases_expiring{}"] == granted - 1);
    verifier.now += 60'000;
    verifier.service->watch().look();
    CHECK(samples(verifier)["casemate_leases_live{}"] == 0);
}

TEST_CASE("ages are shown of those that have waited longest, and only of so many", "[verifier][operations]") {
    TestVerifier verifier{{}, impatient(), scrape_token};
    std::vector<std::unique_ptr<Platform>> platforms;
    for (const char digit : {'a', 'b', 'c', 'd'}) {
        platforms.push_back(verifier.platform(digit));
        REQUIRE(verifier.accept(*platforms.back()).status == 200);
        REQUIRE(verifier.attest(*platforms.back()).body["verdict"] == "affirming");
        verifier.now += 10'000;
    }
    const auto age = [](char digit) { return "casemate_platform_attestation_age_seconds{platform=\"" + std::string(64, digit) + "\"}"; };
    verifier.service->watch().look();
    auto seen = samples(verifier);
    CHECK(seen[age('a')] == 40);
    CHECK(seen[age('b')] == 30);
    CHECK(seen.count(age('c')) == 0);
    CHECK(seen["casemate_platform_oldest_attestation_age_seconds{}"] == 40);
    REQUIRE(verifier.attest(*platforms[0]).body["verdict"] == "affirming");
    REQUIRE(verifier.as_operator("POST", "/v1/platforms/" + platforms[1]->id + "/quarantine").status == 200);
    verifier.service->watch().look();
    seen = samples(verifier);
    CHECK(seen.count(age('a')) == 0); // no longer among the oldest
    CHECK(seen.count(age('b')) == 0); // out of service
    CHECK(seen[age('c')] == 20);
    CHECK(seen["casemate_platforms{state=\"quarantined\"}"] == 1);
}

TEST_CASE("a key that cannot sign refuses with a reason, decides nothing, and the service is not ready", "[verifier][operations]") {
    const auto device = std::make_shared<DeviceStub>();
    TestVerifier verifier{{}, impatient(), scrape_token, cose::Signer::with(device).value()};
    const auto platform = verifier.platform('a');
    REQUIRE(verifier.accept(*platform).status == 200);
    REQUIRE(get(verifier, "/readyz").status == 200);
    const auto rows = verifier.store->audit_rows(1000).size();

    device->failure = cose::SignError::device;
    verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    const Reply refused = verifier.attest(*platform);
    CHECK(refused.status == 503);
    CHECK(refused.code() == "signing_unavailable");
    CHECK(verifier.store->grants(1).empty());
    CHECK(verifier.store->results(1).empty());
    CHECK(verifier.store->audit_rows(1000).size() == rows);
    const verifier::HttpAnswer ready = get(verifier, "/readyz");
    CHECK(ready.status == 503);
    CHECK(Json::parse(ready.body)["reasons"][0]["code"] == "signing_unavailable");
    auto seen = samples(verifier);
    CHECK(seen["casemate_ready{}"] == 0);
    CHECK(seen["casemate_signing_failures_total{}"] == 1);

    device->failure = cose::SignError::none;
    CHECK(verifier.attest(*platform).body["verdict"] == "affirming");
    CHECK_FALSE(verifier.store->grants(1).empty());
    device->failure = cose::SignError::device_locked;
    const std::string grant = verifier.store->grants(1).at(0).id;
    CHECK(verifier.as_operator("POST", "/v1/grants/" + grant + "/revocation").code() == "signing_unavailable");
    CHECK(verifier.store->grant(grant)->revoked_at == 0);
    CHECK(verifier.as_operator("POST", "/v1/platforms/" + platform->id + "/quarantine").code() == "signing_unavailable");
    CHECK(verifier.store->platform(platform->id)->state == "active");
    device->failure = cose::SignError::none;
    CHECK(get(verifier, "/readyz").status == 200);
}

TEST_CASE("a store that is away, or of another version, makes the service not ready", "[verifier][operations]") {
    const auto reason = [](const TestVerifier& verifier) {
        const verifier::HttpAnswer answer = get(verifier, "/readyz");
        CHECK(answer.status == 503);
        return Json::parse(answer.body)["reasons"][0]["code"].get<std::string>();
    };
    TestVerifier verifier{{}, impatient(), scrape_token};
    verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    store::Connection other{verifier.directory / "db"};
    other.execute("PRAGMA user_version = 99");
    CHECK(reason(verifier) == "store_schema");
    // The metrics tell of it, and do not need the store.
    CHECK(samples(verifier)["casemate_ready{}"] == 0);
    verifier.service->stop();
    CHECK(reason(verifier) == "stopping");
    CHECK(get(verifier, "/healthz").status == 200);
}

TEST_CASE("askers do not make the key sign more often than the answer is good for", "[verifier][operations]") {
    const auto device = std::make_shared<DeviceStub>();
    verifier::Settings settings = impatient();
    settings.ready_lifetime = 3'600'000;
    const TestVerifier verifier{{}, settings, scrape_token, cose::Signer::with(device).value()};
    for (int i = 0; i < 100; ++i) CHECK(get(verifier, "/readyz").status == 200);
    CHECK(device->asked == 1);
}

TEST_CASE("each answer carries the id of its request, and no two are the same", "[verifier][operations]") {
    const TestVerifier verifier;
    const auto id = [&](const char* path) {
        for (const auto& [name, value] : verifier.service->answer({"GET", path, "", "", "", "", "a:1"}).headers)
            if (name == "X-Request-Id") return value;
        return std::string{};
    };
    const std::string first = id("/v1/health");
    CHECK(first.size() >= 14);
    CHECK(first.find_first_not_of("0123456789abcdef-") == std::string::npos);
    CHECK(id("/v1/health") != first);
    CHECK_FALSE(id("/nothing").empty());
}
