// SPDX-License-Identifier: Apache-2.0
// The audit trail in the store, on both back ends: in one transaction with what it tells of, a chain without gaps whoever appends,
// checkpoints where they are due.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "attest/audit/trail_check.hpp"
#include "tests/unit/store_backends.hpp"

using namespace casemate;
using namespace casemate::store;
using namespace casemate::test;

namespace {

const cose::Signer& audit_key() {
    static const cose::Signer key = cose::Signer::generate().value();
    return key;
}

audit::Checkpointing every(std::int64_t rows) {
    return {rows, [](const audit::Checkpoint& checkpoint) { return audit::sign(checkpoint, audit_key()).value(); }};
}

AuditRow row(const std::string& object) { return {1000, "operator", "revoke", object, "done", ""}; }

/// What `casemate-attest audit verify` would say of the store's trail.
audit::TrailReport checked(Store& store) {
    audit::TrailCheck check{measure::P256PublicKey::create(audit_key().public_key()).value()};
    const auto add = [&](const auto& entry) {
        std::string line = audit::line_of(entry);
        line.pop_back();
        check.line(line);
    };
    for (const audit::ChainedRow& chained : store.audit_trail(0, 1'000'000)) add(chained);
    for (const SignedHead& signed_head : store.audit_checkpoints(0, 1'000'000)) add(signed_head.message);
    return check.finish();
}

} // namespace

TEMPLATE_TEST_CASE("audit rows form a chain with checkpoints at their interval and on demand", "[store][audit]", OnSqlite,
                   OnPostgresql) {
    const TestType back_end;
    auto store = back_end.open();
    CHECK_FALSE(store->checkpoint(1)); // nobody signs yet
    store->sign_checkpoints(every(4));
    CHECK_FALSE(store->checkpoint(1)); // no row yet
    for (int i = 1; i <= 9; ++i) store->audit(row(std::to_string(i)));
    CHECK(store->audit_checkpoints(0, 100).size() == 2);
    store.reset();
    store = back_end.open();
    store->sign_checkpoints(every(4));
    store->audit(row("10"));
    CHECK(store->checkpoint(2000));
    CHECK_FALSE(store->checkpoint(2001)); // signed already
    const audit::TrailReport report = checked(*store);
    CHECK(report.intact());
    CHECK(report.rows == 10);
    CHECK(report.signed_until == 10);
    CHECK(report.signed_at == 2000);
    CHECK(store->audit_rows(3).front().object == "10");
    CHECK(store->audit_trail(7, 2).size() == 2);
    CHECK(store->audit_trail(7, 2).front().sequence == 8);
    CHECK_THROWS_AS(store->sign_checkpoints(every(0)), StoreFailure);
}

TEMPLATE_TEST_CASE("a decision and its audit row are stored together or not at all", "[store][audit]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto store = back_end.open();
    REQUIRE(store->bind_platform(stored_platform("p")) == BindOutcome::bound);
    SECTION("dropped") {
        {
            const auto unit = store->begin();
            store->hold_platform("p");
            store->add_grant(stored_grant("g", 1));
            store->audit(row("g"));
            CHECK(store->grant("g")); // seen inside
        }
        CHECK_FALSE(store->grant("g"));
        CHECK(store->audit_rows(10).empty());
    }
    SECTION("committed") {
        const auto unit = store->begin();
        store->add_grant(stored_grant("g", 1));
        store->audit(row("g"));
        unit->commit();
        CHECK_THROWS_AS(unit->commit(), StoreFailure);
        CHECK(store->grant("g"));
        CHECK(store->audit_rows(10).size() == 1);
    }
    SECTION("the row cannot be written: no decision either") {
        back_end.execute("DROP TABLE audit");
        const auto unit = store->begin();
        store->add_grant(stored_grant("g", 1));
        store->audit(row("g"));
        CHECK_THROWS_AS(unit->commit(), StoreFailure);
        CHECK_FALSE(store->grant("g"));
        CHECK(store->begin()); // nothing is left open
    }
    SECTION("the checkpoint cannot be signed: no row either") {
        store->sign_checkpoints({1, [](const audit::Checkpoint&) -> Blob { throw std::runtime_error("no key"); }});
        CHECK_THROWS_AS(store->audit(row("g")), std::runtime_error);
        CHECK(store->audit_rows(10).empty());
    }
    SECTION("the decision cannot be stored: no row either") {
        {
            const auto unit = store->begin();
            store->audit(row("g"));
            store->add_grant(stored_grant("g", 1));
            CHECK_THROWS_AS(store->add_grant(stored_grant("h", 1)), StoreFailure);
        }
        CHECK(store->audit_rows(10).empty());
        CHECK_FALSE(store->grant("g"));
    }
}

TEMPLATE_TEST_CASE("a thread has one unit at a time on a store", "[store][audit]", OnSqlite, OnPostgresql) {
    const TestType back_end, elsewhere;
    const auto store = back_end.open();
    const auto other = elsewhere.open();
    auto unit = store->begin();
    CHECK_THROWS_AS(store->begin(), StoreFailure);
    {
        const auto inner = other->begin(); // another store is another matter
        other->audit(row("other"));
        store->audit(row("mine"));
        inner->commit();
    }
    unit->commit();
    unit.reset();
    CHECK(store->audit_rows(10).size() == 1);
    CHECK(other->audit_rows(10).front().object == "other");
    CHECK_THROWS_AS(store->hold_platform("p"), StoreFailure); // outside a unit it would hold nothing
}

TEMPLATE_TEST_CASE("replicas that append at once make one chain", "[store][audit]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    constexpr int replicas = 3, threads = 2, rows = 20;
    std::vector<std::unique_ptr<Store>> stores;
    for (int i = 0; i < replicas; ++i) {
        stores.push_back(back_end.open());
        stores.back()->sign_checkpoints(every(7));
    }
    std::vector<std::thread> all;
    for (int i = 0; i < replicas * threads; ++i)
        all.emplace_back([&, i] {
            Store& store = *stores[static_cast<std::size_t>(i % replicas)];
            for (int k = 0; k < rows; ++k) {
                const auto unit = store.begin();
                store.audit(row(std::to_string(i)));
                if (k % 3 == 0) store.audit(row("second"));
                if (k % 5 != 4) unit->commit(); // the others leave no number behind
            }
        });
    for (std::thread& thread : all) thread.join();
    const audit::TrailReport report = checked(*stores[0]);
    CHECK(report.intact());
    CHECK(report.rows == replicas * threads * (16 + 6)); // 16 committed units, of which six have a second row
    CHECK(report.checkpoints == report.rows / 7);
}

TEMPLATE_TEST_CASE("a trail that was tampered with in the database is found", "[store][audit]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto store = back_end.open();
    store->sign_checkpoints(every(5));
    for (int i = 1; i <= 10; ++i) store->audit(row(std::to_string(i)));
    REQUIRE(checked(*store).intact());
    const auto first_problem = [&](const char* sql) {
        back_end.execute(sql);
        const audit::TrailReport report = checked(*store);
        REQUIRE_FALSE(report.intact());
        return std::pair{report.problems[0].flaw, report.problems[0].row};
    };
    SECTION("a field") {
        CHECK(first_problem("UPDATE audit SET outcome = 'refused' WHERE sequence = 4") == std::pair{audit::Flaw::hash, std::int64_t{4}});
    }
    SECTION("a row gone") {
        CHECK(first_problem("DELETE FROM audit WHERE sequence = 6") == std::pair{audit::Flaw::sequence, std::int64_t{7}});
    }
    SECTION("the newest rows gone") {
        CHECK(first_problem("DELETE FROM audit WHERE sequence > 8") == std::pair{audit::Flaw::truncated, std::int64_t{10}});
    }
    SECTION("two rows exchanged") {
        CHECK(first_problem("UPDATE audit SET object = CASE object WHEN '2' THEN '3' ELSE '2' END WHERE sequence IN (2, 3)") ==
              std::pair{audit::Flaw::hash, std::int64_t{2}});
    }
    SECTION("the head set back: the trail cannot go on over existing rows") {
        back_end.execute("UPDATE audit_head SET sequence = 5");
        CHECK_THROWS_AS(store->audit(row("x")), StoreFailure);
    }
}
