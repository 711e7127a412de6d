// SPDX-License-Identifier: Apache-2.0
// The store's promises on both back ends: what may happen once happens once, identities do not change, and all of it
// survives reopening.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/store_backends.hpp"

using namespace casemate;
using namespace casemate::store;
using namespace casemate::test;

TEMPLATE_TEST_CASE("a challenge is taken once, by its platform, before it expires", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    Store& store = *opened.store;
    for (const char* id : {"a", "b", "c"}) store.add_challenge({id, "p", {1, 2}, 100}, 0);
    CHECK(store.take_challenge("x", "p", 1).outcome == TakeOutcome::unknown);
    CHECK(store.take_challenge("a", "q", 1).outcome == TakeOutcome::other_platform);
    const TakenChallenge taken = store.take_challenge("a", "p", 1);
    CHECK(taken.outcome == TakeOutcome::taken);
    CHECK(taken.challenge.nonce == Blob{1, 2});
    opened.reopen();
    CHECK(opened.store->take_challenge("a", "p", 1).outcome == TakeOutcome::used);
    CHECK(opened.store->take_challenge("b", "p", 100).outcome == TakeOutcome::expired);
    CHECK(opened.store->take_challenge("b", "p", 1).outcome == TakeOutcome::used);
    CHECK(opened.store->take_challenge("c", "p", 99).outcome == TakeOutcome::taken);
}

TEMPLATE_TEST_CASE("challenges of the day before are forgotten, looked for once a second", "[store]", OnSqlite, OnPostgresql) {
    constexpr Millis day = 24LL * 3600 * 1000;
    OpenedStore<TestType> opened;
    Store& store = *opened.store;
    store.add_challenge({"old", "p", {1}, 100}, 0);
    store.add_challenge({"a", "p", {1}, day + 200}, 999); // nothing is looked for
    CHECK(store.take_challenge("old", "p", 200).outcome == TakeOutcome::expired);
    store.add_challenge({"b", "p", {1}, day + 200}, day + 99);
    CHECK(store.take_challenge("old", "p", day).outcome == TakeOutcome::used);
    store.add_challenge({"c", "p", {1}, day + 200}, day + 100); // within the second
    CHECK(store.take_challenge("old", "p", day).outcome == TakeOutcome::used);
    store.add_challenge({"d", "p", {1}, day + 200}, 500 + day + 600);
    CHECK(store.take_challenge("old", "p", day).outcome == TakeOutcome::unknown);
}

TEMPLATE_TEST_CASE("a held platform comes with all that its evidence is decided by", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    Store& store = *opened.store;
    REQUIRE(store.bind_platform(stored_platform("q")) == BindOutcome::bound);
    store.add_grant(stored_grant("g", 1));
    store.add_grant(stored_grant("h", 2));
    store.set_rule("epoch", 7);
    const std::int64_t generation = store.reference_generation();
    AppraisalRecord result;
    result.platform_id = "p";
    result.evidence = "{\"log\":\"text\"}";
    result.log_at = 8;
    result.log_size = 4;
    result.log_hash = {5, 6};
    store.add_result(result, std::nullopt, 9);
    CHECK_THROWS_AS(store.hold_ground("p", "epoch", {5, 6}), StoreFailure); // outside a unit it would hold nothing
    const auto unit = store.begin();
    const std::optional<Ground> ground = store.hold_ground("p", "epoch", {5, 6});
    REQUIRE(ground);
    CHECK(ground->platform.identity.platform_id == "p");
    REQUIRE(ground->grants.size() == 2);
    CHECK(ground->grants[1].id == "h");
    CHECK(ground->reference_generation == generation);
    CHECK(ground->rule == 7);
    CHECK(ground->log_kept);
    const std::optional<Ground> other = store.hold_ground("q", "no such rule", {5, 6});
    REQUIRE(other);
    CHECK(other->grants.empty());
    CHECK(other->rule == 0);
    CHECK_FALSE(other->log_kept); // it is another platform's
    CHECK_FALSE(store.hold_ground("unknown", "epoch", {}));
    result.log_kept = ground->log_kept;
    store.add_result(result, std::nullopt, 9);
    unit->commit();
    CHECK(store.newest_result("p")->evidence == result.evidence);
}

TEMPLATE_TEST_CASE("an enrolment is taken once and not after its time", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    Enrolment enrolment{"e", {"p2", {1}, {2}, {3}, "sha256,sha384"}, {7}, 100};
    opened.store->add_enrolment(enrolment, 0);
    const std::optional<Enrolment> taken = opened.store->take_enrolment("e", 1);
    REQUIRE(taken);
    CHECK(taken->identity.ak_public == Blob{2});
    CHECK(taken->identity.banks == "sha256,sha384");
    CHECK_FALSE(opened.store->take_enrolment("e", 1));
    enrolment.id = "late";
    opened.store->add_enrolment(enrolment, 0);
    CHECK_FALSE(opened.store->take_enrolment("late", 100));
}

TEMPLATE_TEST_CASE("a platform keeps its AK until an operator allows another", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    Platform same = stored_platform("p");
    same.token_hash = {42};
    CHECK(opened.store->bind_platform(same) == BindOutcome::bound);
    CHECK(opened.store->platform("p")->token_hash == Blob{42});
    CHECK(opened.store->bind_platform(stored_platform("p", 2)) == BindOutcome::conflict);
    CHECK(opened.store->platform("p")->identity.ak_public == Blob{1});
    CHECK(opened.store->allow_rebinding("p"));
    CHECK_FALSE(opened.store->allow_rebinding("unknown"));
    CHECK(opened.store->bind_platform(stored_platform("p", 2)) == BindOutcome::bound);
    CHECK(opened.store->platform("p")->identity.ak_public == Blob{2});
    CHECK(opened.store->bind_platform(stored_platform("p", 3)) == BindOutcome::conflict);
}

TEMPLATE_TEST_CASE("results keep the newest and move the platform's clock and verdict", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    for (int i = 1; i <= 5; ++i) {
        AppraisalRecord record;
        record.platform_id = "p";
        record.at = i;
        record.verdict = i == 5 ? "contraindicated" : "affirming";
        opened.store->add_result(record, ClockInfo{i, 1, 2}, 3);
    }
    opened.reopen();
    CHECK(opened.store->results(100).size() == 3);
    CHECK(opened.store->results(100).front().at == 5);
    const std::optional<Platform> platform = opened.store->platform("p");
    CHECK(platform->last_clock->clock == 5);
    CHECK(platform->last_verdict == "contraindicated");
    CHECK(platform->last_attested_at == 4);
}

TEMPLATE_TEST_CASE("a revocation happens once and holds the device back until released", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    opened.store->add_grant(stored_grant("g", 1));
    CHECK_THROWS_AS(opened.store->add_grant(stored_grant("other", 1)), StoreFailure); // a gate nonce gets one grant
    opened.store->set_reissue("g", {9}, 3, 45);
    opened.store->set_renewal("g", 4, 50);
    CHECK(opened.store->revoke("g", {5}, 70));
    CHECK_FALSE(opened.store->revoke("g", {6}, 80));
    CHECK_FALSE(opened.store->revoke("unknown", {6}, 80));
    opened.reopen();
    const std::optional<Grant> row = opened.store->grant("g");
    CHECK(row->cose == Blob{9});
    CHECK(row->evidence_clock == 4);
    CHECK(row->renewed_at == 50);
    CHECK(row->revoked_at == 70);
    CHECK(row->revocation == Blob{5});
    CHECK(row->held);
    CHECK(opened.store->lift_hold("g"));
    CHECK_FALSE(opened.store->lift_hold("g"));
}

TEMPLATE_TEST_CASE("reference sets are replaced as a whole", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    opened.store->add_reference({"1", 10, "{}", "a"});
    opened.store->replace_references({{"2", 20, "{}", "b"}, {"3", 30, "{}", "c"}});
    REQUIRE(opened.store->references().size() == 2);
    CHECK(opened.store->references().front().id == "3");
    CHECK(opened.store->remove_reference("3"));
    CHECK_FALSE(opened.store->remove_reference("3"));
}

TEMPLATE_TEST_CASE("tokens are found by their digest, inventory is replaced by platform, rules keep their value", "[store]", OnSqlite,
                   OnPostgresql) {
    OpenedStore<TestType> opened;
    const std::string hostile = "x'); DROP TABLE operator_tokens; --";
    opened.store->add_operator_token({"t", hostile, "viewer", {1, 2}, 10, 20, "olga"});
    CHECK_THROWS_AS(opened.store->add_operator_token({"u", "b", "owner", {1, 2}, 10, 20, "olga"}), StoreFailure);
    opened.store->add_inventory({{"p1", hostile, false, 5, "olga"}, {"p2", "", true, 5, "olga"}});
    opened.store->add_inventory({{"p1", "rack", true, 6, "oscar"}});
    opened.store->set_rule("epoch", 3);
    opened.store->set_rule("epoch", 4);
    opened.reopen();
    CHECK(opened.store->operator_token({1, 2})->name == hostile);
    CHECK(opened.store->operator_token({1, 2})->expires_at == 20);
    CHECK_FALSE(opened.store->operator_token({1}));
    CHECK(opened.store->operator_tokens().size() == 1);
    CHECK(opened.store->remove_operator_token("t"));
    CHECK_FALSE(opened.store->remove_operator_token("t"));
    CHECK(opened.store->inventory(10).size() == 2);
    CHECK(opened.store->inventory(1).size() == 1);
    CHECK(opened.store->inventory_entry("p1")->without_certificate);
    CHECK(opened.store->inventory_entry("p1")->added_by == "oscar");
    CHECK(opened.store->remove_inventory("p1"));
    CHECK_FALSE(opened.store->inventory_entry("p1"));
    CHECK(opened.store->rule("epoch") == 4);
    CHECK(opened.store->rule("unknown") == 0);
}

TEMPLATE_TEST_CASE("a platform's state changes once, and a removed reference stays in the archive", "[store]", OnSqlite,
                   OnPostgresql) {
    OpenedStore<TestType> opened;
    CHECK(opened.store->platform("p")->state == "active");
    CHECK(opened.store->set_platform_state("p", "retired"));
    CHECK_FALSE(opened.store->set_platform_state("p", "retired"));
    CHECK_FALSE(opened.store->set_platform_state("unknown", "retired"));
    opened.store->add_reference({"1", 10, "{}", "a"});
    CHECK(opened.store->remove_reference("1"));
    opened.reopen();
    CHECK(opened.store->platform("p")->state == "retired");
    CHECK(opened.store->archived_reference("1") == "{}");
    CHECK_FALSE(opened.store->archived_reference("2"));
}

TEMPLATE_TEST_CASE("a result is found by its number, with what it was judged against", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    AppraisalRecord record;
    record.platform_id = "p";
    record.verdict = "affirming";
    record.expectation = R"({"epoch":1})";
    record.token = "a.b.c";
    opened.store->add_result(record, std::nullopt, 3);
    opened.reopen();
    const std::int64_t id = opened.store->newest_result("p")->id;
    CHECK(opened.store->result(id)->expectation == record.expectation);
    CHECK(opened.store->result(id)->token == "a.b.c");
    CHECK_FALSE(opened.store->result(id + 1));
}

TEMPLATE_TEST_CASE("tokens, inventory, rules and states are in the unit of their audit row", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    {
        const auto unit = opened.store->begin();
        opened.store->add_operator_token({"t", "olga", "owner", {1}, 10, 20, "bootstrap"});
        opened.store->add_inventory({{"q", "", false, 5, "olga"}});
        opened.store->set_rule("epoch", 3);
        CHECK(opened.store->set_platform_state("p", "quarantined"));
        opened.store->audit({5, "olga", "x", "", "done", ""});
    }
    CHECK(opened.store->operator_tokens().empty());
    CHECK(opened.store->inventory(10).empty());
    CHECK(opened.store->rule("epoch") == 0);
    CHECK(opened.store->platform("p")->state == "active");
    CHECK(opened.store->audit_rows(10).empty());
}

TEST_CASE("the database is private and of a version that we know", "[store]") {
    OpenedStore<OnSqlite> opened;
    using std::filesystem::perms;
    const perms mode = std::filesystem::status(opened.back_end.directory / "db").permissions();
    CHECK((mode & (perms::group_all | perms::others_all)) == perms::none);
    opened.store.reset();
    Connection{opened.back_end.directory / "db"}.execute("PRAGMA user_version = 99");
    CHECK_THROWS_AS(open_sqlite_store(opened.back_end.directory / "db"), StoreFailure);
}

TEMPLATE_TEST_CASE("the largest inventory is imported with a row for each entry in one unit", "[store]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    std::vector<InventoryEntry> entries;
    for (int i = 0; i < 5000; ++i) {
        std::string id = std::to_string(i);
        entries.push_back({std::string(64 - id.size(), '0') + id, std::string(64, 'l'), false, 5, "olga"});
    }
    const auto unit = opened.store->begin();
    opened.store->add_inventory(entries);
    for (const InventoryEntry& entry : entries) opened.store->audit({5, "olga", "list", entry.platform_id, "done", ""});
    unit->commit();
    CHECK(opened.store->inventory(10'000).size() == 5000);
    CHECK(opened.store->audit_trail(4999, 10).size() == 1);
}

namespace {

AppraisalRecord with_log(const std::string& log, bool told = true) {
    AppraisalRecord record;
    record.platform_id = "p";
    record.verdict = "affirming";
    record.evidence = R"({"log":")" + log + R"(","gates":[]})";
    if (told) record.log_at = 8, record.log_size = log.size();
    return record;
}

} // namespace

TEMPLATE_TEST_CASE("an event log is kept once for all results that have it, and goes with the last of them", "[store]", OnSqlite,
                   OnPostgresql) {
    OpenedStore<TestType> opened;
    for (const char* log : {"AAAA", "AAAA", "BBBB", "AAAA"}) opened.store->add_result(with_log(log), std::nullopt, 3);
    opened.store->add_result(with_log("CCCC", false), std::nullopt, 3);
    opened.reopen();
    const auto results = opened.store->results(10);
    REQUIRE(results.size() == 3);
    CHECK(results[0].evidence == R"({"log":"CCCC","gates":[]})");
    CHECK(results[1].evidence == R"({"log":"AAAA","gates":[]})");
    CHECK(results[2].evidence == R"({"log":"BBBB","gates":[]})");
    CHECK(opened.store->result(results[1].id)->evidence == results[1].evidence);
    for (const char* log : {"DDDD", "DDDD", "EEEE"}) opened.store->add_result(with_log(log), std::nullopt, 3);
    // A result whose log is gone must never look whole.
    opened.back_end.execute("DELETE FROM event_logs WHERE text = 'EEEE'");
    CHECK_THROWS_AS(opened.store->newest_result("p"), StoreFailure);
}

TEST_CASE("a log that no result has any more is removed", "[store]") {
    OpenedStore<OnSqlite> opened;
    for (const char* log : {"AAAA", "BBBB", "CCCC", "CCCC", "DDDD"}) opened.store->add_result(with_log(log), std::nullopt, 3);
    Connection database{opened.back_end.directory / "db"};
    Statement logs{database, "SELECT text FROM event_logs ORDER BY text"};
    std::string all;
    while (logs.step()) all += logs.text(0) + " ";
    CHECK(all == "CCCC DDDD ");
}

TEST_CASE("a log that is not in its evidence is not stored", "[store]") {
    OpenedStore<OnSqlite> opened;
    AppraisalRecord record = with_log("AAAA");
    record.log_at = record.evidence.size();
    CHECK_THROWS_AS(opened.store->add_result(record, std::nullopt, 3), StoreFailure);
    record.log_at = std::string::npos;
    CHECK_THROWS_AS(opened.store->add_result(record, std::nullopt, 3), StoreFailure);
    CHECK(opened.store->results(10).empty());
}

TEMPLATE_TEST_CASE("what is taken within a deferral is taken for ever, after settle or what is stored next", "[store]", OnSqlite,
                   OnPostgresql) {
    OpenedStore<TestType> opened;
    for (const char* id : {"a", "b", "c"}) opened.store->add_challenge({id, "p", {1}, 100}, 0);
    {
        const auto deferral = opened.store->defer_takes();
        CHECK_THROWS_AS(opened.store->defer_takes(), StoreFailure); // one at a time
        CHECK(opened.store->take_challenge("a", "p", 1).outcome == TakeOutcome::taken);
        CHECK(opened.store->take_challenge("a", "p", 1).outcome == TakeOutcome::used);
        deferral->settle();
        CHECK(opened.back_end.open()->take_challenge("a", "p", 1).outcome == TakeOutcome::used);
    }
    {
        const auto deferral = opened.store->defer_takes();
        CHECK(opened.store->take_challenge("b", "p", 1).outcome == TakeOutcome::taken);
        {
            const auto unit = opened.store->begin(); // fails: the take stays
            opened.store->audit({1, "p", "x", "", "done", ""});
        }
        opened.store->audit({1, "p", "y", "", "done", ""});
        CHECK(opened.back_end.open()->take_challenge("b", "p", 1).outcome == TakeOutcome::used);
    }
    {
        const auto dropped = opened.store->defer_takes(); // settles by itself
        CHECK(opened.store->take_challenge("c", "p", 1).outcome == TakeOutcome::taken);
    }
    opened.reopen();
    CHECK(opened.store->take_challenge("c", "p", 1).outcome == TakeOutcome::used);
}

TEMPLATE_TEST_CASE("whether the store answers is asked beside its writers, and disturbs none", "[store]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto store = store::open_store(back_end.where(), 3);
    const auto rows_before = store->audit_head().sequence;
    std::atomic<bool> writing{true};
    std::thread asker{[&] {
        while (writing) store->check(); // on a connection of its own: SQLite's is not for two threads at once
    }};
    for (int i = 0; i < 300; ++i) store->audit({i, "a", "b", "c", "d", ""});
    writing = false;
    asker.join();
    CHECK(store->audit_head().sequence == rows_before + 300);
}

TEMPLATE_TEST_CASE("a bootstrap grant is kept for a platform that may not have enrolled yet, and withdrawn once", "[store][bootstrap]", OnSqlite, OnPostgresql) {
    OpenedStore<TestType> opened;
    opened.store->add_bootstrap_grant({"b1", "expected", {1}, "0000:00:03.0", 30, 7, 100, "olga", {9, 8}, 0});
    opened.store->add_bootstrap_grant({"b2", "p", {2}, "0000:00:03.0", 20, 7, 101, "olga", {7}, 0});
    CHECK_THROWS_AS(opened.store->add_bootstrap_grant({"b1", "p", {1}, "", 1, 1, 1, "", {1}, 0}), StoreFailure); // an id is one grant's
    CHECK(opened.store->withdraw_bootstrap_grant("b1", 200) == "expected");
    CHECK_FALSE(opened.store->withdraw_bootstrap_grant("b1", 201));
    CHECK_FALSE(opened.store->withdraw_bootstrap_grant("b3", 201));
    opened.reopen();
    const auto kept = opened.store->bootstrap_grants_of("expected");
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].id == "b1");
    CHECK(kept[0].vm_id == Blob{1});
    CHECK(kept[0].device == "0000:00:03.0");
    CHECK(kept[0].lease_seconds == 30);
    CHECK(kept[0].epoch == 7);
    CHECK(kept[0].issued_at == 100);
    CHECK(kept[0].issued_by == "olga");
    CHECK(kept[0].cose == Blob{9, 8});
    CHECK(kept[0].withdrawn_at == 200);
    CHECK(opened.store->bootstrap_grants_of("p").at(0).withdrawn_at == 0);
}
