// SPDX-License-Identifier: Apache-2.0
// What the service writes about its work: a whole life of a platform and its operators, and not one secret of it in the log.
#include <catch2/catch.hpp>

#include <cstdio>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/software_ek.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

/// Standard error into a file, for as long as this lives.
class Captured {
public:
    Captured() : kept_{::dup(STDERR_FILENO)} {
        const int sink = ::open((directory_ / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ::dup2(sink, STDERR_FILENO);
        ::close(sink);
        verifier::set_log_level(verifier::LogLevel::info);
    }
    ~Captured() {
        ::dup2(kept_, STDERR_FILENO);
        ::close(kept_);
        verifier::set_log_level(verifier::LogLevel::error);
    }
    Captured(const Captured&) = delete;
    Captured& operator=(const Captured&) = delete;
    [[nodiscard]] std::string text() const {
        std::fflush(stderr);
        std::ifstream file{directory_ / "log"};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    [[nodiscard]] std::vector<Json> lines() const {
        std::istringstream all{text()};
        std::vector<Json> parsed;
        for (std::string line; std::getline(all, line);) parsed.push_back(Json::parse(line));
        return parsed;
    }

private:
    ScratchDirectory directory_;
    int kept_;
};

/// What must not be in a log, with a name for the one who reads a failure.
struct Secrets {
    std::vector<std::pair<std::string, std::string>> all;

    void text(const std::string& name, const std::string& secret) {
        REQUIRE(secret.size() >= 8);
        all.emplace_back(name, secret);
    }
    /// In the spellings that a log might have, and any long enough part of them.
    void bytes(const std::string& name, ByteView secret) {
        const std::string hex = verifier::to_hex(secret);
        const std::string base64 = verifier::to_base64(secret);
        text(name + ", hex", hex.substr(0, 24));
        text(name + ", end of hex", hex.substr(hex.size() - 24));
        text(name + ", base64", base64.substr(0, 20));
    }
    [[nodiscard]] std::string found_in(const std::string& log) const {
        for (const auto& [name, secret] : all)
            if (log.find(secret) != std::string::npos) return name;
        return {};
    }
};

} // namespace

TEST_CASE("enrolment, evidence, grants, tokens and their failures leave no secret in the log", "[verifier][log]") {
    TestAuthority authority;
    constexpr const char* scrape_token = "scrape-token-0123456789abcdef0123456";
    TestVerifier verifier{authority.authorities(), {}, scrape_token};
    const Captured log;
    Secrets secrets;
    secrets.text("operator's token", operator_token);
    secrets.text("scrape token", scrape_token);

    SoftwareEk ek;
    const auto platform = verifier.platform('f'); // its token is f's: of its own identity's spelling, so a new one is enrolled
    const Json begun = verifier.call("POST", "/v1/enrolments", "", ek.offer(authority.certificate(ek), platform->ak_public()).dump()).body;
    const Bytes secret = ek.activate(begun, platform->ak_public());
    secrets.bytes("secret of the credential", secret);
    secrets.bytes("credential", *verifier::from_base64(begun["credential_blob"].get<std::string>()));
    secrets.bytes("encrypted secret", *verifier::from_base64(begun["encrypted_secret"].get<std::string>()));
    const std::string activation = "/v1/enrolments/" + begun["enrolment_id"].get<std::string>() + "/activation";
    const Reply enrolled = verifier.call("POST", activation, "", Json{{"secret", verifier::to_base64(secret)}}.dump());
    REQUIRE(enrolled.status == 200);
    CHECK(verifier.call("POST", activation, "", Json{{"secret", verifier::to_base64(secret)}}.dump()).status == 404);
    platform->id = enrolled.body["platform_id"];
    platform->token = enrolled.body["token"];
    secrets.text("platform's token", platform->token);

    REQUIRE(verifier.accept(*platform).status == 200);
    const Json challenge = verifier.challenge(*platform);
    secrets.bytes("nonce", *verifier::from_base64(challenge["nonce"].get<std::string>()));
    const Json evidence = platform->evidence(challenge);
    secrets.text("quote", evidence["quote"].get<std::string>().substr(0, 40));
    secrets.text("signature", evidence["signature"].get<std::string>().substr(0, 40));
    secrets.text("event log", evidence["log"].get<std::string>().substr(0, 40));
    const Reply verdict = verifier.submit(*platform, evidence);
    REQUIRE(verdict.body["verdict"] == "affirming");
    for (const Json& grant : verdict.body["grants"]) secrets.text("grant", grant.get<std::string>().substr(60, 40));
    secrets.text("signed result", verdict.body["result"].get<std::string>().substr(0, 40));
    CHECK(verifier.submit(*platform, evidence).code() == "challenge_used");

    const Reply made = verifier.as_operator("POST", "/v1/tokens", R"({"name":"alice","role":"viewer","lifetime_seconds":60})");
    secrets.text("alice's token", made.body["token"]);
    CHECK(verifier.call("POST", "/v1/grants/" + verifier.store->grants(1).at(0).id + "/revocation", made.body["token"]).code() == "role");
    CHECK(verifier.as_operator("POST", "/v1/grants/" + verifier.store->grants(1).at(0).id + "/revocation").status == 200);
    CHECK(verifier.service->answer({"GET", "/metrics", std::string{"Bearer "} + scrape_token, "", "", "", "a:1"}).status == 200);

    // Secrets in places where they do not belong: a mistyped path, method, query, header.
    for (const std::string& misplaced : {platform->token, std::string{operator_token}}) {
        (void)verifier.call("GET", "/v1/platforms?token=" + misplaced, "");
        (void)verifier.call("GET", "/" + misplaced, "");
        (void)verifier.call(misplaced, "/v1/platforms", "");
        (void)verifier.call("GET", "/v1/grants", misplaced + "\n");
        (void)verifier.call("POST", "/v1/enrolments", "", "{\"" + misplaced + "\":1");
    }
    const std::string text = log.text();
    CHECK(text.size() > 2000);
    CHECK(secrets.found_in(text) == "");
    CHECK(text.find("PRIVATE KEY") == std::string::npos);
    CHECK(text.find("Bearer") == std::string::npos);
    // The search finds what is there.
    CHECK(secrets.found_in(text + platform->token) == "platform's token");
}

TEST_CASE("each line is one JSON object with time, level, event, and a request has its answer's id", "[verifier][log]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    const Captured log;
    const verifier::HttpAnswer answer =
        verifier.service->answer({"POST", "/v1/platforms/" + platform->id + "/challenges", "Bearer " + platform->token, "", "", "{}", "10.0.0.1:5"});
    (void)verifier.call("GET", "/no/such\"}\n{\"level\":\"forged\"}", "");
    const auto lines = log.lines();
    REQUIRE(lines.size() == 2);
    for (const Json& line : lines) {
        for (const char* member : {"time", "level", "event", "id", "method", "path", "status", "ms", "peer"}) CHECK(line.contains(member));
        CHECK(line["event"] == "request");
    }
    CHECK(lines[0]["id"] == answer.headers.back().second);
    CHECK(lines[0]["path"] == "/v1/platforms/" + platform->id + "/challenges");
    CHECK(lines[0]["level"] == "info");
    CHECK(lines[1]["path"] == "");
    CHECK(lines[1]["status"] == 404);
    CHECK(lines[1]["level"] == "warning");
}
