// SPDX-License-Identifier: Apache-2.0
// A SQLite store of the first version, as files in the field are, opens with everything that was in it; its audit rows become the
// beginning of the chain.
#include <catch2/catch.hpp>

#include "attest/audit/row.hpp"
#include "tests/unit/store_backends.hpp"

using namespace casemate;
using namespace casemate::store;
using namespace casemate::test;

namespace {

// The schema as version 1 wrote it, frozen here: the program's own copy is what is tested.
constexpr const char* version_1 = R"sql(
CREATE TABLE platforms (
    id TEXT PRIMARY KEY,
    ek_public BLOB NOT NULL,
    ak_public BLOB NOT NULL,
    ek_certificate BLOB NOT NULL,
    banks TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    token_expires_at INTEGER NOT NULL,
    enrolled_at INTEGER NOT NULL,
    clock INTEGER,
    reset_count INTEGER,
    restart_count INTEGER,
    last_attested_at INTEGER NOT NULL DEFAULT 0,
    last_verdict TEXT NOT NULL DEFAULT '',
    rebinding_allowed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE enrolments (
    id TEXT PRIMARY KEY,
    platform_id TEXT NOT NULL,
    ek_public BLOB NOT NULL,
    ak_public BLOB NOT NULL,
    ek_certificate BLOB NOT NULL,
    banks TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX enrolments_by_expiry ON enrolments(expires_at);
CREATE TABLE challenges (
    id TEXT PRIMARY KEY,
    platform_id TEXT NOT NULL REFERENCES platforms(id),
    nonce BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX challenges_by_expiry ON challenges(expires_at);
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    platform_id TEXT NOT NULL REFERENCES platforms(id),
    challenge_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reasons TEXT NOT NULL,
    evidence TEXT NOT NULL,
    nonce BLOB NOT NULL,
    reference TEXT NOT NULL
) STRICT;
CREATE INDEX results_by_platform ON results(platform_id, id);
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    platform_id TEXT NOT NULL REFERENCES platforms(id),
    launch_id BLOB NOT NULL,
    gate_nonce BLOB NOT NULL,
    vm_id BLOB NOT NULL,
    device TEXT NOT NULL,
    rights INTEGER NOT NULL,
    lease_seconds INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    evidence_clock INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    cose BLOB NOT NULL,
    revoked_at INTEGER NOT NULL DEFAULT 0,
    revocation BLOB NOT NULL DEFAULT x'',
    held INTEGER NOT NULL DEFAULT 0,
    UNIQUE (platform_id, gate_nonce)
) STRICT;
CREATE TABLE reference_sets (
    id TEXT PRIMARY KEY,
    imported_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    source TEXT NOT NULL
) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
)sql";

constexpr const char* contents = R"sql(
INSERT INTO platforms (id, ek_public, ak_public, ek_certificate, banks, token_hash, token_expires_at, enrolled_at, clock,
    reset_count, restart_count, last_attested_at, last_verdict, rebinding_allowed)
    VALUES ('p', x'01', x'02', x'03', 'sha256', x'04', 5, 6, 7, 8, 9, 10, 'affirming', 1);
INSERT INTO enrolments VALUES ('e', 'q', x'01', x'02', x'03', 'sha256', x'04', 100);
INSERT INTO challenges VALUES ('c', 'p', x'05', 100, 1);
INSERT INTO results (platform_id, challenge_id, at, verdict, reasons, evidence, nonce, reference)
    VALUES ('p', 'c', 10, 'affirming', '[]', '{}', x'06', 'r');
INSERT INTO grants (id, platform_id, launch_id, gate_nonce, vm_id, device, rights, lease_seconds, epoch, evidence_clock, issued_at,
    renewed_at, cose, revoked_at, revocation, held)
    VALUES ('g', 'p', x'07', x'08', x'09', '0000:00:03.0', 1, 60, 2, 3, 4, 5, x'0a', 6, x'0b', 1);
INSERT INTO reference_sets VALUES ('r', 11, '{"a":1}', 'file');
INSERT INTO audit (id, at, actor, action, object, outcome, detail) VALUES
    (1, 100, 'p', 'grant', 'g', 'issued', 'device'), (2, 101, 'operator', 'revoke', 'g', 'done', ''),
    (5, 102, 'operator', 'release', 'g', 'done', 'a ' || char(10) || ' line');
)sql";

} // namespace

TEST_CASE("a store of version 1 keeps its data and gets a chained trail", "[store][audit]") {
    const ScratchDirectory directory;
    {
        Connection old{directory / "db"};
        old.execute(version_1);
        old.execute(contents);
    }
    const auto store = open_sqlite_store(directory / "db");
    const Platform platform = *store->platform("p");
    CHECK(platform.identity.ak_public == Blob{2});
    CHECK(platform.last_clock->restart_count == 9);
    CHECK(platform.last_verdict == "affirming");
    CHECK(platform.rebinding_allowed);
    CHECK(store->take_challenge("c", "p", 1).outcome == TakeOutcome::used);
    CHECK(store->take_enrolment("e", 1));
    CHECK(store->newest_result("p")->nonce == Blob{6});
    CHECK(store->newest_result("p")->evidence == "{}"); // its log was never split off
    CHECK(store->grant("g")->revocation == Blob{0x0b});
    CHECK(store->grant("g")->held);
    CHECK(store->references().front().document == "{\"a\":1}");
    CHECK(store->reference_generation() == 0);
    CHECK(platform.state == "active");
    CHECK(platform.silent_since == 0);
    CHECK(store->newest_result("p")->expectation.empty());
    CHECK(store->archived_reference("r") == "{\"a\":1}");
    CHECK(store->bootstrap_grants_of("p").empty());
    CHECK_FALSE(store->status_report("p"));
    CHECK(store->orders_of("p").empty());
    CHECK_FALSE(store->secrets_of("p"));

    const auto trail = store->audit_trail(0, 100);
    REQUIRE(trail.size() == 3);
    audit::Head head;
    for (const audit::ChainedRow& row : trail) {
        CHECK(row.hash == audit::row_hash(head.hash, head.sequence + 1, row.row));
        head = {row.sequence, row.hash};
    }
    CHECK(trail[2].sequence == 3); // numbers have no gap any more
    CHECK(trail[2].row.at == 102);
    CHECK(trail[2].row.detail == "a ? line");
    store->audit({103, "operator", "x", "", "done", ""});
    CHECK(store->audit_trail(3, 1).front().hash == audit::row_hash(head.hash, 4, {103, "operator", "x", "", "done", ""}));
}

TEST_CASE("a migration that fails leaves the old store as it was", "[store]") {
    const ScratchDirectory directory;
    {
        Connection old{directory / "db"};
        old.execute(version_1);
        old.execute(contents);
        old.execute("CREATE TABLE audit_head (x)"); // in the way of step 2
    }
    CHECK_THROWS_AS(open_sqlite_store(directory / "db"), StoreFailure);
    Connection old{directory / "db"};
    Statement version{old, "PRAGMA user_version"};
    REQUIRE(version.step());
    CHECK(version.integer(0) == 1);
    Statement rows{old, "SELECT count(*) FROM audit"};
    REQUIRE(rows.step());
    CHECK(rows.integer(0) == 3);
}

TEST_CASE("a PostgreSQL database of a newer program is refused", "[store][postgresql]") {
    const OnPostgresql back_end;
    (void)back_end.open();
    back_end.execute("UPDATE schema_version SET version = 99");
    CHECK_THROWS_WITH(back_end.open(), Catch::Contains("newer"));
    back_end.execute("DELETE FROM schema_version; UPDATE audit_head SET sequence = 5");
    CHECK_THROWS_AS(back_end.open(), StoreFailure); // the tables exist: nothing is made over them
}

TEST_CASE("a PostgreSQL database that cannot hold UTF-8 is refused", "[store][postgresql]") {
    PostgresqlServer& server = PostgresqlServer::shared();
    server.execute("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    CHECK_THROWS_WITH(open_store("postgresql:" + server.conninfo("latin"), 1), Catch::Contains("UTF8"));
}

TEST_CASE("a PostgreSQL database of the first version keeps its data", "[store][postgresql]") {
    const OnPostgresql back_end;
    (void)back_end.open()->bind_platform(stored_platform("p"));
    back_end.open()->add_reference({"r", 11, "{}", "file"});
    back_end.execute("ALTER TABLE platforms DROP COLUMN state, DROP COLUMN silent_since; ALTER TABLE results DROP COLUMN expectation, DROP COLUMN token, "
                     "DROP COLUMN log_at, DROP COLUMN log_hash; "
                     "DROP TABLE operator_tokens, inventory, fleet_rules, reference_archive, event_logs, bootstrap_grants, signing_keys, "
                     "status_reports, operator_orders, sealed_secrets; "
                     "UPDATE schema_version SET version = 1");
    const auto store = back_end.open();
    CHECK(store->platform("p")->state == "active");
    CHECK(store->platform("p")->silent_since == 0);
    CHECK(store->archived_reference("r") == "{}");
    CHECK(store->operator_tokens().empty());
    CHECK(store->bootstrap_grants_of("p").empty());
    CHECK_FALSE(store->status_report("p"));
    CHECK(store->orders_of("p").empty());
    CHECK_FALSE(store->secrets_of("p"));
}
