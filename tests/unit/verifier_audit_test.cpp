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

namespace {

/// One call of each kind that an owner or operator decides with, after a platform attested.
struct Decisions {
    Decisions() : platform{verifier.platform('a')} {
        if (verifier.accept(*platform).status != 200 || verifier.attest(*platform).status != 200) std::abort();
        challenge = verifier.challenge(*platform);
        evidence = platform->evidence(challenge);
        token = olga("POST", "/v1/tokens", R"({"name":"tom","role":"viewer","lifetime_seconds":60})").body["token_id"];
        (void)olga("POST", "/v1/inventory", R"({"entries":[{"platform_id":")" + listed + R"("}]})");
    }
    Reply olga(const std::string& method, const std::string& path, const std::string& body = "") {
        return verifier.with_certificate('3', method, path, body);
    }
    Reply oscar(const std::string& path, const std::string& body = "") { return verifier.with_certificate('2', "POST", path, body); }
    std::string at(const std::string& rest) const { return "/v1/platforms/" + platform->id + rest; }

    Reply create_token() { return olga("POST", "/v1/tokens", R"({"name":"ann","role":"operator","lifetime_seconds":60})"); }
    Reply remove_token() { return olga("DELETE", "/v1/tokens/" + token); }
    Reply import() { return olga("POST", "/v1/inventory", Json{{"entries", {{{"platform_id", fresh}}}}}.dump()); }
    Reply approve() { return olga("POST", "/v1/platforms/" + fresh + "/approval"); }
    Reply unlist() { return olga("DELETE", "/v1/inventory/" + listed); }
    Reply set_rules() { return olga("POST", "/v1/rules", R"({"minimum_policy_epoch":5})"); }
    Reply dry_run() {
        return oscar("/v1/appraisals", Json{{"platform_id", platform->id}, {"nonce", challenge["nonce"]}, {"evidence", evidence}}.dump());
    }
    Reply again() { return oscar("/v1/results/1/appraisal"); }
    Reply quarantine() { return oscar(at("/quarantine")); }
    Reply reinstate() { return olga("POST", at("/reinstatement")); }
    Reply retire() { return olga("POST", at("/retirement")); }

    TestVerifier verifier;
    std::unique_ptr<Platform> platform;
    Json challenge;
    Json evidence;
    std::string token;
    std::string listed = std::string(64, 'd');
    std::string fresh = std::string(64, 'e');
};

} // namespace

TEST_CASE("a decision of an operator leaves its row with name and role", "[verifier][audit]") {
    Decisions on;
    const auto rows = [&](const Reply& reply, std::size_t before) {
        CAPTURE(reply.body.dump());
        CHECK(reply.status == 200);
        return rows_after(on.verifier, before);
    };
    std::size_t before = length(on.verifier);
    const auto row_of = [&](Reply (Decisions::*decide)()) {
        before = length(on.verifier);
        return rows((on.*decide)(), before);
    };
    CHECK(row_of(&Decisions::create_token) == Words{"olga (owner) create_token done"});
    CHECK(newest(on.verifier).detail == "ann, operator");
    CHECK(row_of(&Decisions::remove_token) == Words{"olga (owner) remove_token done"});
    CHECK(newest(on.verifier).object == on.token);
    CHECK(row_of(&Decisions::import) == Words{"olga (owner) list done"});
    CHECK(row_of(&Decisions::approve) == Words{"olga (owner) approve done"});
    CHECK(row_of(&Decisions::unlist) == Words{"olga (owner) unlist done"});
    CHECK(row_of(&Decisions::dry_run) == Words{"oscar (operator) dry_run affirming"});
    CHECK(row_of(&Decisions::again) == Words{"oscar (operator) appraise_again affirming"});
    CHECK(newest(on.verifier).detail == "as recorded");
    CHECK(row_of(&Decisions::quarantine) == Words{"oscar (operator) revoke done", "oscar (operator) revoke done",
                                                  "oscar (operator) quarantined done"});
    CHECK(newest(on.verifier).detail == "2 grants revoked");
    CHECK(row_of(&Decisions::reinstate) == Words{"olga (owner) reinstate done"});
    CHECK(row_of(&Decisions::set_rules) == Words{"olga (owner) set_rules done"});
    CHECK(newest(on.verifier).detail == "5");
    CHECK(row_of(&Decisions::retire) == Words{"olga (owner) retired done"});
    before = length(on.verifier);
    CHECK(on.quarantine().code() == "platform_state");
    CHECK(on.verifier.with_certificate('1', "POST", "/v1/rules", "{}").code() == "role");
    CHECK(on.verifier.with_certificate('9', "POST", "/v1/rules", "{}").code() == "certificate_unknown");
    CHECK(rows_after(on.verifier, before) == Words{"oscar (operator) call refused", "vera (viewer) call refused"});
}

TEST_CASE("an operator's decision that cannot be audited is not made", "[verifier][audit]") {
    Decisions on;
    store::Connection saboteur{on.verifier.directory / "db"};
    verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    const auto state = [&] { return on.verifier.store->platform(on.platform->id)->state; };
    const auto fails = [&](Reply (Decisions::*decide)()) {
        saboteur.execute("ALTER TABLE audit RENAME TO audit_away");
        const int status = (on.*decide)().status;
        saboteur.execute("ALTER TABLE audit_away RENAME TO audit");
        return status == 500;
    };
    CHECK(fails(&Decisions::create_token));
    CHECK(fails(&Decisions::remove_token));
    CHECK(on.verifier.store->operator_tokens().size() == 1);
    CHECK(fails(&Decisions::import));
    CHECK(fails(&Decisions::approve));
    CHECK(fails(&Decisions::unlist));
    CHECK(on.verifier.store->inventory(10).size() == 1);
    CHECK(on.verifier.store->inventory(10).front().platform_id == on.listed);
    CHECK(fails(&Decisions::set_rules));
    CHECK(on.verifier.store->rule(verifier::minimum_epoch_rule) == 0);
    CHECK(fails(&Decisions::dry_run));
    CHECK(fails(&Decisions::again));
    CHECK(fails(&Decisions::quarantine));
    CHECK(fails(&Decisions::retire));
    CHECK(state() == "active");
    for (const store::Grant& grant : on.verifier.store->grants(10)) CHECK(grant.revoked_at == 0);
    REQUIRE(on.quarantine().status == 200);
    CHECK(fails(&Decisions::reinstate));
    CHECK(state() == "quarantined");
}

TEST_CASE("a viewer who is refused again and again cannot fill the trail", "[verifier][audit]") {
    verifier::Settings settings;
    settings.caller_rate = 1;
    TestVerifier verifier{{}, settings};
    for (int i = 0; i < 2; ++i) CHECK(verifier.with_certificate('1', "POST", "/v1/rules", "{}").code() == "role");
    for (int i = 0; i < 5; ++i) CHECK(verifier.with_certificate('1', "POST", "/v1/rules", "{}").code() == "rate");
    CHECK(length(verifier) == 2);
}
