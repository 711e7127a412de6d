// SPDX-License-Identifier: Apache-2.0
// Several replicas on one database, and a database server that goes away: what is single-use stays so, what one replica decided the
// others see at once, and failures end in StoreFailure within bounded time, never in half a decision.
#include <catch2/catch.hpp>

#include <atomic>
#include <barrier>
#include <fstream>
#include <thread>

#include <sys/stat.h>

#include "tests/unit/store_backends.hpp"

using namespace casemate;
using namespace casemate::store;
using namespace casemate::test;

TEMPLATE_TEST_CASE("of replicas that take the same challenge at once exactly one gets it", "[store]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    constexpr int replicas = 4, rounds = 15;
    std::vector<std::unique_ptr<Store>> stores;
    for (int i = 0; i < replicas; ++i) stores.push_back(back_end.open());
    REQUIRE(stores[0]->bind_platform(stored_platform("p")) == BindOutcome::bound);
    for (int round = 0; round < rounds; ++round) {
        const std::string id = "c" + std::to_string(round);
        stores[0]->add_challenge({id, "p", {1}, 100}, 0);
        stores[0]->add_enrolment({id, {"q", {1}, {2}, {}, "sha256"}, {3}, 100}, 0);
        std::atomic<int> taken = 0, used = 0, enrolments = 0;
        std::barrier start{replicas};
        std::vector<std::thread> threads;
        for (int i = 0; i < replicas; ++i)
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                const TakeOutcome outcome = stores[static_cast<std::size_t>(i)]->take_challenge(id, "p", 1).outcome;
                if (outcome == TakeOutcome::taken) ++taken;
                if (outcome == TakeOutcome::used) ++used;
                if (stores[static_cast<std::size_t>(i)]->take_enrolment(id, 1)) ++enrolments;
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(taken == 1);
        CHECK(used == replicas - 1);
        CHECK(enrolments == 1);
    }
}

TEMPLATE_TEST_CASE("of two keys that are bound to one platform at once one wins", "[store]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto one = back_end.open(), other = back_end.open();
    for (int round = 0; round < 10; ++round) {
        const std::string id = "p" + std::to_string(round);
        std::atomic<int> bound = 0;
        std::barrier start{2};
        const auto bind = [&](Store& store, std::uint8_t ak) {
            start.arrive_and_wait();
            if (store.bind_platform(stored_platform(id, ak)) == BindOutcome::bound) ++bound;
        };
        std::thread first{[&] { bind(*one, 1); }}, second{[&] { bind(*other, 2); }};
        first.join();
        second.join();
        CHECK(bound == 1);
    }
}

TEMPLATE_TEST_CASE("a revocation by one replica is seen by the other at once", "[store]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto one = back_end.open(), other = back_end.open();
    REQUIRE(one->bind_platform(stored_platform("p")) == BindOutcome::bound);
    one->add_grant(stored_grant("g", 1));
    CHECK(other->grants_of("p").front().revoked_at == 0);
    CHECK(one->revoke("g", {7}, 50));
    CHECK(other->grants_of("p").front().revoked_at == 50);
    CHECK_FALSE(other->revoke("g", {8}, 60));
    const std::int64_t before = other->reference_generation();
    one->add_reference({"r", 1, "{}", ""});
    CHECK(other->reference_generation() == before + 1);
    CHECK(other->references().size() == 1);
}

TEMPLATE_TEST_CASE("while one replica holds a platform the other waits", "[store]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto one = back_end.open(), other = back_end.open();
    REQUIRE(one->bind_platform(stored_platform("p")) == BindOutcome::bound);
    std::atomic<bool> held = false;
    std::thread second;
    {
        const auto unit = one->begin();
        one->hold_platform("p");
        held = true;
        second = std::thread{[&] {
            const auto waiting = other->begin();
            other->hold_platform("p");
            CHECK_FALSE(held); // whenever it gets there
            CHECK(other->grants_of("p").size() == 1);
        }};
        one->add_grant(stored_grant("g", 1));
        ::usleep(100'000); // gives the other a chance to be wrong; nothing depends on it
        held = false;
        unit->commit();
    }
    second.join();
}

TEMPLATE_TEST_CASE("SQL in any string is only text", "[store]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto store = back_end.open();
    for (const std::string& evil : {std::string("'; DROP TABLE platforms; --"), std::string("\" OR 1=1 --"), std::string("$1 %s {} \\ ' '' `x`"),
                                    std::string("\xC3\xA9\xE2\x82\xAC"), std::string(70'000, '\'')}) {
        Platform platform = stored_platform(evil);
        platform.identity.banks = evil;
        REQUIRE(store->bind_platform(platform) == BindOutcome::bound);
        CHECK(store->bind_platform(platform) == BindOutcome::bound);
        CHECK(store->allow_rebinding(evil));
        CHECK(store->bind_platform(platform) == BindOutcome::bound);
        CHECK(store->platform(evil)->identity.banks == evil);
        store->add_enrolment({evil, {evil, {1}, {2}, {3}, evil}, {4}, 100}, 0);
        CHECK(store->take_enrolment(evil, 1)->identity.banks == evil);
        store->add_challenge({evil, evil, {5}, 100}, 0);
        CHECK(store->take_challenge(evil, "other", 1).outcome == TakeOutcome::other_platform);
        CHECK(store->take_challenge(evil, evil, 1).challenge.id == evil);
        AppraisalRecord record;
        record.platform_id = record.challenge_id = record.verdict = record.reasons = record.evidence = record.reference = evil;
        store->add_result(record, std::nullopt, 5);
        CHECK(store->newest_result(evil)->evidence == evil);
        Grant grant = stored_grant(evil, 1);
        grant.platform_id = grant.device = evil;
        store->add_grant(grant);
        store->set_renewal(evil, 2, 3);
        store->set_reissue(evil, {6}, 4, 5);
        CHECK(store->grant(evil)->device == evil);
        CHECK(store->revoke(evil, {7}, 8));
        CHECK(store->lift_hold(evil));
        store->add_reference({evil, 1, evil, evil});
        CHECK(store->remove_reference(evil));
        store->audit({1, evil, evil, evil, evil, evil});
    }
    CHECK(store->platforms().size() == 5);
    CHECK(store->audit_rows(10).size() == 5);
}

TEST_CASE("a PostgreSQL server that restarts costs what was under way, nothing else", "[store][postgresql]") {
    PostgresqlServer& server = PostgresqlServer::shared();
    const auto store = open_store("postgresql:" + server.conninfo(server.make_database()), 3);
    REQUIRE(store->bind_platform(stored_platform("p")) == BindOutcome::bound);
    { // two connections wait in the pool
        std::thread second{[&] { store->audit({1, "a", "", "", "", ""}); }};
        const auto unit = store->begin();
        second.join();
    }
    SECTION("idle: the next call connects again") {
        server.stop(SIGINT);
        CHECK_THROWS_AS(store->platforms(), StoreFailure);
        CHECK_THROWS_AS(store->begin(), StoreFailure);
        server.start();
        CHECK(store->platforms().size() == 1);
        store->audit({2, "b", "", "", "", ""});
        CHECK(store->audit_rows(10).size() == 2);
    }
    SECTION("in the middle of a unit: nothing of it is stored, and it cannot go on") {
        auto unit = store->begin();
        store->add_grant(stored_grant("g", 1));
        store->audit({2, "b", "", "", "", ""});
        server.stop(SIGQUIT); // crashes
        server.start();
        CHECK_THROWS_AS(store->add_grant(stored_grant("h", 2)), StoreFailure);
        CHECK_THROWS_AS(unit->commit(), StoreFailure);
        CHECK_FALSE(store->grant("g"));
        CHECK(store->audit_rows(10).size() == 1);
        store->add_grant(stored_grant("g", 1));
        CHECK(store->grant("g"));
    }
}

TEST_CASE("what was committed survives a crash of the PostgreSQL server in that moment", "[store][postgresql]") {
    PostgresqlServer& server = PostgresqlServer::shared();
    const auto store = open_store("postgresql:" + server.conninfo(server.make_database()), 1);
    REQUIRE(store->bind_platform(stored_platform("p")) == BindOutcome::bound);
    for (std::uint8_t i = 0; i < 20; ++i) {
        const auto unit = store->begin();
        store->add_grant(stored_grant("g" + std::to_string(i), i));
        store->audit({i, "p", "grant", std::to_string(i), "issued", ""});
        unit->commit();
    }
    server.stop(SIGQUIT);
    server.start();
    CHECK(store->grants(100).size() == 20);
    CHECK(store->audit_trail(0, 100).size() == 20);
}

TEST_CASE("a replica that stops in the middle of a unit loses it, and the others go on", "[store][postgresql]") {
    const OnPostgresql back_end;
    const auto stopped = back_end.open(), other = back_end.open();
    REQUIRE(other->bind_platform(stored_platform("p")) == BindOutcome::bound);
    const auto lost = stopped->begin();
    stopped->hold_platform("p");
    stopped->add_grant(stored_grant("g", 1));
    {
        const auto unit = other->begin();
        other->hold_platform("p"); // waits for the server's patience with the first one
        other->add_grant(stored_grant("h", 1));
        unit->commit();
    }
    CHECK_THROWS_AS(lost->commit(), ConnectionLost);
    REQUIRE(other->grants(10).size() == 1);
    CHECK(stopped->grants(10).front().id == "h");
}

TEST_CASE("replicas that start at once on an empty PostgreSQL database make one schema", "[store][postgresql]") {
    for (int round = 0; round < 3; ++round) {
        const OnPostgresql back_end;
        std::atomic<int> opened = 0;
        std::barrier start{4};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                start.arrive_and_wait();
                try {
                    back_end.open()->audit({1, "a", "", "", "", ""});
                    ++opened;
                } catch (const StoreFailure&) {
                }
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(opened == 4);
        CHECK(back_end.open()->audit_rows(10).size() == 4);
    }
}

TEST_CASE("the owner of a PostgreSQL database needs no other right", "[store][postgresql]") {
    PostgresqlServer& server = PostgresqlServer::shared();
    server.execute("postgres", "CREATE ROLE plain LOGIN");
    server.execute("postgres", "CREATE DATABASE plain OWNER plain");
    const auto store = open_store("postgresql:" + server.conninfo("plain") + " user=plain", 1);
    store->audit({1, "a", "", "", "", ""});
    CHECK(store->audit_rows(10).size() == 1);
}

TEST_CASE("an error inside a PostgreSQL unit cannot be committed over", "[store][postgresql]") {
    const OnPostgresql back_end;
    const auto store = back_end.open();
    REQUIRE(store->bind_platform(stored_platform("p")) == BindOutcome::bound);
    const auto unit = store->begin();
    store->add_grant(stored_grant("g", 1));
    CHECK_THROWS_AS(store->add_grant(stored_grant("g", 2)), StoreFailure);
    CHECK_THROWS_AS(unit->commit(), StoreFailure);
}

TEST_CASE("text that PostgreSQL cannot hold is refused, not cut", "[store][postgresql]") {
    const OnPostgresql back_end;
    const auto store = back_end.open();
    for (const std::string& bad : {std::string("a\0b", 3), std::string("\xFF\xFE"), std::string("\xC0\x80")})
        CHECK_THROWS_AS(store->bind_platform(stored_platform(bad)), StoreFailure);
    CHECK(store->platforms().empty());
}

TEST_CASE("a password comes from libpq's password file", "[store][postgresql]") {
    PostgresqlServer& server = PostgresqlServer::shared();
    server.make_role_with_password("keeper", "secret-word");
    server.execute("postgres", "CREATE DATABASE keeper OWNER keeper");
    const std::string where = "postgresql:" + server.conninfo("keeper") + " user=keeper";
    const ScratchDirectory directory;
    const std::string file = directory / "pgpass";
    const auto use = [&](const std::string& password) {
        std::ofstream{file} << "*:*:keeper:keeper:" << password << "\n";
        ::chmod(file.c_str(), 0600); // libpq ignores one that others can read
        ::setenv("PGPASSFILE", file.c_str(), 1);
    };
    use("secret-word");
    open_store(where, 1)->audit({1, "a", "", "", "", ""});
    use("wrong-word");
    CHECK_THROWS_WITH(open_store(where, 1), Catch::Contains("password authentication failed") && !Catch::Contains("wrong-word"));
    ::unsetenv("PGPASSFILE");
    CHECK_THROWS_WITH(open_store(where, 1), Catch::Contains("password"));
}

TEST_CASE("the place of a store is told in words, and never with a password", "[store][postgresql]") {
    const auto why = [](const std::string& where) -> std::string {
        try {
            (void)open_store(where, 1);
        } catch (const StoreFailure& failure) {
            return failure.what();
        }
        return {};
    };
    CHECK(why("").find("sqlite:FILE") != std::string::npos);
    CHECK(why("mysql:x").find("sqlite:FILE") != std::string::npos);
    CHECK(why("sqlite:").find("sqlite:FILE") != std::string::npos);
    CHECK(why("sqlite:/nonexistent/db").find("/nonexistent/db") != std::string::npos);
    for (const char* where : {"postgresql:host=/nowhere password=secret-word", "postgresql://casemate:secret-word@localhost/db",
                              "postgresql:host=/nowhere sslpassword=secret-word"}) {
        CHECK(why(where).find("password file") != std::string::npos);
        CHECK(why(where).find("secret-word") == std::string::npos);
    }
    const std::string malformed = why("postgresql:host=/nowhere pass word=secret-word");
    CHECK(malformed.find("connection string") != std::string::npos);
    CHECK(malformed.find("secret-word") == std::string::npos);
    CHECK(why("postgresql:host=/nowhere dbname=x").find("cannot connect") != std::string::npos);
}
