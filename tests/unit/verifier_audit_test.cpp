// SPDX-License-Identifier: Apache-2.0
// Which decisions leave which rows in the audit trail, and that a decision whose row cannot be written is not made.
#include <catch2/catch.hpp>

#include "attest/store/sqlite.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

/// "actor action outcome" of the rows after the first `after`, an id shortened to its first letter.
std::vector<std::string> rows_after(const TestVerifier& verifier, std::size_t after) {
    std::vector<std::string> words;
    for (const audit::ChainedRow& row : verifier.store->audit_trail(static_cast<std::int64_t>(after), 1000)) {
        const std::string actor = row.row.actor.size() == 64 ? row.row.actor.substr(0, 1) : row.row.actor;
        words.push_back(actor + " " + row.row.action + " " + row.row.outcome);
    }
    return words;
}

std::size_t length(const TestVerifier& verifier) { return verifier.store->audit_trail(0, 1000).size(); }

audit::Row newest(const TestVerifier& verifier) { return verifier.store->audit_rows(1).front(); }

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("every decision leaves its row, in order", "[verifier][audit]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    REQUIRE(verifier.accept(*platform).status == 200);
    CHECK(rows_after(verifier, 0) == Words{"operator add_reference done"});

    std::size_t before = length(verifier);
    const Json evidence = platform->evidence(verifier.challenge(*platform));
    const Reply granted = verifier.submit(*platform, evidence);
    REQUIRE(granted.body["grants"].size() == 2);
    CHECK(rows_after(verifier, before) == Words{"a grant issued", "a grant issued", "a verdict affirming"});
    CHECK(newest(verifier).object == evidence["challenge_id"].get<std::string>());
    CHECK(newest(verifier).detail.find(verifier::to_hex(verifier::sha256(verifier::as_bytes(evidence.dump())))) != std::string::npos);

    before = length(verifier);
    (void)verifier.attest(*platform);
    CHECK(rows_after(verifier, before) == Words{"a reissue done", "a reissue done", "a verdict affirming"});

    const std::string grant = verifier.as_operator("GET", "/v1/grants").body["grants"][0]["grant_id"];
    before = length(verifier);
    CHECK(verifier.as_operator("POST", "/v1/grants/" + grant + "/revocation").status == 200);
    CHECK(newest(verifier).object == grant);
    CHECK(verifier.as_operator("POST", "/v1/grants/" + grant + "/release").status == 200);
    CHECK(verifier.as_operator("POST", "/v1/platforms/" + platform->id + "/rebinding").status == 200);
    const std::string reference = verifier.as_operator("GET", "/v1/reference").body["references"][0]["reference_id"];
    CHECK(verifier.as_operator("DELETE", "/v1/reference/" + reference).status == 200);
    CHECK(rows_after(verifier, before) == Words{"operator revoke done", "operator release done", "operator allow_rebinding done",
                                                "operator remove_reference done"});
    before = length(verifier);
    CHECK(verifier.attest(*platform).words() == "reference_missing");
    CHECK(rows_after(verifier, before) == Words{"a verdict contraindicated"});
    CHECK(newest(verifier).detail.find("reference_missing") != std::string::npos);
}

TEST_CASE("a refused call leaves a row when the caller showed who it is, and none otherwise", "[verifier][audit]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    const std::string unknown(32, '0');
    CHECK(verifier.as_operator("POST", "/v1/grants/" + unknown + "/revocation").status == 404);
    CHECK(newest(verifier).actor == "operator");
    CHECK(newest(verifier).object == "/v1/grants/" + unknown + "/revocation");
    CHECK(newest(verifier).detail == "POST, grant_unknown: no such grant");
    CHECK(verifier.as_operator("POST", "/v1/reference", "{\"a\":1,\"a\":2}").code() == "json");
    const Json evidence = platform->evidence(verifier.challenge(*platform));
    CHECK(verifier.submit(*platform, evidence).status == 200);
    CHECK(verifier.submit(*platform, evidence).code() == "challenge_used");
    CHECK(newest(verifier).actor == platform->id);
    CHECK(newest(verifier).detail.find("challenge_used") != std::string::npos);
    CHECK(rows_after(verifier, 0) == Words{"operator call refused", "operator call refused", "a verdict contraindicated", "a call refused"});

    const std::size_t before = length(verifier);
    CHECK(verifier.call("GET", "/v1/grants", "").status == 401);
    CHECK(verifier.call("GET", "/v1/grants", "another").status == 403);
    CHECK(verifier.call("POST", "/v1/platforms/" + platform->id + "/challenges", "another").status == 401);
    CHECK(verifier.call("GET", "/v1/nothing", operator_token).status == 404);
    CHECK(length(verifier) == before);
}

TEST_CASE("what cannot be audited is not decided", "[verifier][audit]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    REQUIRE(verifier.accept(*platform).status == 200);
    REQUIRE(verifier.attest(*platform).status == 200);
    const std::string grant = verifier.store->grants(1).front().id;
    const std::string reference = verifier.store->references().front().id;
    const Json evidence = platform->evidence(verifier.challenge(*platform));
    store::Connection saboteur{verifier.directory / "db"};
    saboteur.execute("ALTER TABLE audit RENAME TO audit_away");
    verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    const auto results = verifier.store->results(100).size();
    CHECK(verifier.submit(*platform, evidence).status == 500);
    CHECK(verifier.as_operator("POST", "/v1/grants/" + grant + "/revocation").status == 500);
    CHECK(verifier.as_operator("POST", "/v1/platforms/" + platform->id + "/rebinding").status == 500);
    CHECK(verifier.as_operator("DELETE", "/v1/reference/" + reference).status == 500);
    CHECK(verifier.store->results(100).size() == results);
    CHECK(verifier.store->grant(grant)->revoked_at == 0);
    CHECK_FALSE(verifier.store->platform(platform->id)->rebinding_allowed);
    CHECK(verifier.store->references().size() == 1);
    saboteur.execute("ALTER TABLE audit_away RENAME TO audit");
    CHECK(verifier.submit(*platform, evidence).code() == "challenge_used"); // burnt all the same
    CHECK(verifier.as_operator("POST", "/v1/grants/" + grant + "/revocation").status == 200);
}
