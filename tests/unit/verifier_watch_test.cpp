// SPDX-License-Identifier: Apache-2.0
// The alarm for silent platforms: once for each silence, over replicas and restarts, and over with the next good evidence.
#include <catch2/catch.hpp>

#include <map>
#include <thread>

#include "tests/unit/store_backends.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

constexpr store::Millis patience = 900'000;

verifier::Settings watched() {
    verifier::Settings settings;
    settings.silent_after = patience;
    return settings;
}

struct Scene {
    TestVerifier verifier{{}, watched()};
    std::unique_ptr<Platform> platform = verifier.platform('a');
    Scene() {
        REQUIRE(verifier.accept(*platform).status == 200);
        verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    }
    void look() const { verifier.service->watch().look(); }
    Json shown() { return verifier.as_operator("GET", "/v1/platforms").body["platforms"][0]; }
    /// The outcomes of the trail's rows about silence, oldest first.
    std::string alarms() const {
        std::string all;
        for (const auto& chained : verifier.store->audit_trail(0, 10'000))
            if (chained.row.action == "silent") all += chained.row.outcome + " ";
        return all;
    }
};

} // namespace

TEST_CASE("a platform that is silent too long raises one alarm, which ends with the next good evidence", "[verifier][watch]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    scene.verifier.now += patience;
    scene.look();
    CHECK(scene.alarms().empty()); // not longer than that
    CHECK(scene.shown()["silent"] == false);
    scene.verifier.now += 1;
    for (int i = 0; i < 3; ++i) {
        scene.look();
        scene.verifier.now += patience;
    }
    CHECK(scene.alarms() == "raised ");
    CHECK(scene.shown()["silent"] == true);
    CHECK(scene.shown()["silent_since"] == 1'000'000 + patience + 1);
    CHECK(scene.verifier.as_operator("GET", "/v1/platforms/" + scene.platform->id + "/detail").body["silent"] == true);
    const store::AuditRow row = scene.verifier.store->audit_rows(1).at(0);
    CHECK(row.actor == "verifier");
    CHECK(row.object == scene.platform->id);
    CHECK(row.detail == "last attested 1000000");

    scene.verifier.renew(*scene.platform); // its token ended meanwhile
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    CHECK(scene.alarms() == "raised over ");
    CHECK(scene.shown()["silent"] == false);
    scene.look();
    CHECK(scene.alarms() == "raised over ");
    scene.verifier.now += patience + 1;
    scene.look();
    CHECK(scene.alarms() == "raised over raised ");
}

TEST_CASE("bad evidence is no sign of life: a platform that only gives that is silent", "[verifier][watch]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    scene.verifier.now += patience + 1;
    const auto other = scene.verifier.platform('b');
    REQUIRE(scene.verifier.submit(*scene.platform, other->evidence(scene.verifier.challenge(*scene.platform))).body["verdict"] ==
            "contraindicated");
    scene.look();
    CHECK(scene.alarms() == "raised ");
    REQUIRE(scene.verifier.submit(*scene.platform, other->evidence(scene.verifier.challenge(*scene.platform))).body["verdict"] ==
            "contraindicated");
    CHECK(scene.alarms() == "raised ");
    CHECK(scene.shown()["silent"] == true);
}

TEST_CASE("a platform that enrolled and was never attested counts from its enrolment", "[verifier][watch]") {
    Scene scene;
    scene.look();
    CHECK(scene.alarms().empty());
    scene.verifier.now += patience + 1;
    scene.look();
    CHECK(scene.alarms() == "raised ");
    CHECK(scene.verifier.store->audit_rows(1).at(0).detail == "never attested");
}

TEST_CASE("a platform that is out of service raises no alarm", "[verifier][watch]") {
    Scene scene;
    const char* state = GENERATE("quarantine", "retirement");
    REQUIRE(scene.verifier.as_operator("POST", "/v1/platforms/" + scene.platform->id + "/" + state).status == 200);
    scene.verifier.now += patience + 1;
    scene.look();
    CHECK(scene.alarms().empty());
}

TEST_CASE("no patience set, no alarm; a clock that went back raises none", "[verifier][watch]") {
    Scene scene;
    scene.verifier.now -= 500'000;
    scene.look();
    CHECK(scene.alarms().empty());
    TestVerifier unwatched;
    const auto platform = unwatched.platform('a');
    unwatched.now += 1'000'000'000'000;
    unwatched.service->watch().look();
    CHECK(unwatched.store->platform(platform->id)->silent_since == 0);
}

TEMPLATE_TEST_CASE("many watchers on many replicas raise one alarm, and a restart raises no second", "[verifier][watch]", OnSqlite,
                   OnPostgresql) {
    TestType back_end;
    verifier::set_log_level(static_cast<verifier::LogLevel>(99));
    constexpr int fleet = 1200; // more than the watch reads at a time
    {
        const auto rows = back_end.open();
        const auto unit = rows->begin();
        for (int i = 0; i < fleet; ++i) {
            store::Platform platform = stored_platform("p" + std::to_string(i));
            platform.enrolled_at = 1000;
            REQUIRE(rows->bind_platform(platform) == store::BindOutcome::bound);
        }
        unit->commit();
    }
    const auto alarms = [&] {
        int count = 0;
        for (const auto& chained : back_end.open()->audit_trail(0, 10'000)) count += chained.row.action == "silent" ? 1 : 0;
        return count;
    };
    const auto replica = [&] {
        const cose::Signer key = new_signer();
        const verifier::Service service{{back_end.open(), key, {}, operator_token, watched(), [] { return patience + 2000; }, {}}};
        service.watch().look();
    };
    {
        std::thread one{replica};
        std::thread two{replica};
        one.join();
        two.join();
    }
    CHECK(alarms() == fleet);
    replica();
    CHECK(alarms() == fleet);
    const auto rows = back_end.open();
    CHECK(rows->platform("p1199")->silent_since == patience + 2000);
    // What came between reading and marking wins.
    store::Presence stale = rows->presences("p1198", 1).at(0);
    CHECK_FALSE(rows->mark_silent(stale, 5));
    rows->add_result({.platform_id = stale.id, .challenge_id = "c", .at = 7, .verdict = "affirming", .reasons = "[]", .evidence = "{}",
                      .nonce = {1}, .reference = "", .expectation = "", .token = ""}, std::nullopt, 10);
    CHECK(rows->platform(stale.id)->silent_since == 0);
    stale.silent_since = 0;
    CHECK_FALSE(rows->mark_silent(stale, 9));
    CHECK(rows->presences("p999", 10).empty());
}

TEMPLATE_TEST_CASE("leases are counted a part at a time, live and more than half over", "[store][watch]", OnSqlite, OnPostgresql) {
    TestType back_end;
    const auto rows = back_end.open();
    REQUIRE(rows->bind_platform(stored_platform("p")) == store::BindOutcome::bound);
    for (std::uint8_t i = 0; i < 5; ++i) {
        store::Grant grant = stored_grant("g" + std::to_string(i), i);
        grant.lease_seconds = 60;
        grant.renewed_at = i * 10'000; // ends at 60, 70, 80, 90, 100 s
        rows->add_grant(grant);
    }
    REQUIRE(rows->revoke("g4", {1}, 5));
    const auto all = rows->count_leases(0, 100, 65'000);
    CHECK(all.live == 3);
    CHECK(all.expiring == 3);
    CHECK(rows->count_leases(0, 100, 35'000).expiring == 1);
    CHECK(rows->count_leases(0, 100, 60'000).live == 3);
    std::int64_t after = 0;
    std::int64_t live = 0;
    int parts = 0;
    for (auto part = rows->count_leases(after, 2, 65'000); part.next != 0; part = rows->count_leases(after, 2, 65'000)) {
        live += part.live;
        after = part.next;
        ++parts;
    }
    CHECK(live == 3);
    CHECK(parts == 3);
}

TEMPLATE_TEST_CASE("a store tells how long its work took, and whether it has this program's schema", "[store][watch]", OnSqlite, OnPostgresql) {
    TestType back_end;
    std::map<store::Step, int> steps;
    const auto rows = store::open_store(back_end.where(), 2, [&](store::Step step, std::chrono::nanoseconds took) {
        CHECK(took.count() >= 0);
        ++steps[step];
    });
    steps.clear();
    rows->audit({1, "a", "b", "c", "d", "e"});
    CHECK(steps[store::Step::wait] == 1);
    CHECK(steps[store::Step::commit] == 1);
    CHECK(steps[store::Step::use] == 1);
    CHECK_NOTHROW(rows->check());
    back_end.execute(std::is_same_v<TestType, OnSqlite> ? "PRAGMA user_version = 1" : "UPDATE schema_version SET version = 1");
    CHECK_THROWS_AS(rows->check(), store::OtherSchema);
}
