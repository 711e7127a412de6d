// SPDX-License-Identifier: Apache-2.0
// See schema.hpp. A step is never edited after a release: append a new one.
#include "attest/store/schema.hpp"

#include <array>

namespace casemate::store {
namespace {

constexpr const char* step_1 = R"sql(
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

// The audit trail becomes a chain; reference sets count their changes.
constexpr const char* step_2 = R"sql(
ALTER TABLE audit RENAME TO audit_before_chain;
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE audit_checkpoints (
    sequence INTEGER PRIMARY KEY,
    message BLOB NOT NULL
) STRICT;
CREATE TABLE reference_changes (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO reference_changes (id, generation) VALUES (1, 0);
)sql";

// Operators' tokens, the inventory, the fleet's rules, and what a second appraisal of old evidence needs.
constexpr const char* step_3 = R"sql(
ALTER TABLE platforms ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE results ADD COLUMN expectation TEXT NOT NULL DEFAULT '';
ALTER TABLE results ADD COLUMN token TEXT NOT NULL DEFAULT '';
CREATE TABLE operator_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
CREATE TABLE inventory (
    platform_id TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    without_certificate INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT;
CREATE TABLE fleet_rules (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
CREATE TABLE reference_archive (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;
INSERT INTO reference_archive (id, document) SELECT id, document FROM reference_sets;
PRAGMA user_version = 3;
)sql";

// The alarm for platforms that are silent.
constexpr const char* step_4 = R"sql(
ALTER TABLE platforms ADD COLUMN silent_since INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 4;
)sql";

// The event log of a platform is kept once for all results that have it.
constexpr const char* step_5 = R"sql(
CREATE TABLE event_logs (
    platform_id TEXT NOT NULL REFERENCES platforms(id),
    hash BLOB NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (platform_id, hash)
) STRICT;
ALTER TABLE results ADD COLUMN log_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN log_hash BLOB NOT NULL DEFAULT x'';
PRAGMA user_version = 5;
)sql";

// Which owners' and grant keys count.
constexpr const char* step_6 = R"sql(
CREATE TABLE signing_keys (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT;
PRAGMA user_version = 6;
)sql";

// Grants for launches to come.
constexpr const char* step_7 = R"sql(
CREATE TABLE bootstrap_grants (
    id TEXT PRIMARY KEY,
    platform_id TEXT NOT NULL,
    vm_id BLOB NOT NULL,
    device TEXT NOT NULL,
    lease_seconds INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    issued_by TEXT NOT NULL,
    cose BLOB NOT NULL,
    withdrawn_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX bootstrap_grants_by_platform ON bootstrap_grants(platform_id);
PRAGMA user_version = 7;
)sql";

// What platforms without a relay have the service for. The report is a table of its own: it changes every two seconds, and evidence holds the
// platform's row.
constexpr const char* step_8 = R"sql(
CREATE TABLE status_reports (
    platform_id TEXT PRIMARY KEY REFERENCES platforms(id),
    at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
CREATE TABLE operator_orders (
    platform_id TEXT NOT NULL REFERENCES platforms(id),
    number INTEGER NOT NULL,
    vm TEXT NOT NULL,
    word TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    given_by TEXT NOT NULL,
    error INTEGER,
    told_at INTEGER NOT NULL DEFAULT 0,
    withdrawn_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (platform_id, number)
) STRICT;
CREATE TABLE sealed_secrets (
    platform_id TEXT PRIMARY KEY REFERENCES platforms(id),
    document TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    stored_by TEXT NOT NULL
) STRICT;
PRAGMA user_version = 8;
)sql";

/// Rows from before the chain keep their order and content and get numbers and hashes.
void chain_existing_rows(Connection& connection) {
    audit::Head head;
    {
        Statement rows{connection, "SELECT at, actor, action, object, outcome, detail FROM audit_before_chain ORDER BY id"};
        while (rows.step()) {
            const audit::ChainedRow next = audit::chain(
                head, {rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5)});
            Statement{connection, "INSERT INTO audit (sequence, at, actor, action, object, outcome, detail, hash) "
                                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"}
                .bind(next.sequence).bind(next.row.at).bind(next.row.actor).bind(next.row.action).bind(next.row.object)
                .bind(next.row.outcome).bind(next.row.detail).bind(next.hash).run();
        }
    }
    Statement{connection, "INSERT INTO audit_head (id, sequence, hash) VALUES (1, ?, ?)"}
        .bind(head.sequence).bind(head.hash).run();
    connection.execute("DROP TABLE audit_before_chain");
}

void do_step_1(Connection& connection) { connection.execute(step_1); }

void do_step_2(Connection& connection) {
    connection.execute(step_2);
    chain_existing_rows(connection);
    connection.execute("PRAGMA user_version = 2");
}

void do_step_3(Connection& connection) { connection.execute(step_3); }

void do_step_4(Connection& connection) { connection.execute(step_4); }

void do_step_5(Connection& connection) { connection.execute(step_5); }

void do_step_6(Connection& connection) { connection.execute(step_6); }

void do_step_7(Connection& connection) { connection.execute(step_7); }

void do_step_8(Connection& connection) { connection.execute(step_8); }

constexpr std::array steps{&do_step_1, &do_step_2, &do_step_3, &do_step_4, &do_step_5, &do_step_6, &do_step_7, &do_step_8};

std::int64_t version_of(Connection& connection) {
    Statement statement{connection, "PRAGMA user_version"};
    return statement.step() ? statement.integer(0) : 0;
}

} // namespace

void migrate(Connection& connection) {
    Transaction transaction{connection};
    const auto version = static_cast<std::size_t>(version_of(connection));
    if (version > steps.size()) throw StoreFailure("the store was written by a newer casemate-verifierd");
    for (std::size_t step = version; step < steps.size(); ++step) steps[step](connection);
    transaction.commit();
}

bool is_current(Connection& connection) { return static_cast<std::size_t>(version_of(connection)) == steps.size(); }

} // namespace casemate::store
