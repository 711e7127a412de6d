// SPDX-License-Identifier: Apache-2.0
// See postgresql_schema.hpp. The tables are those of schema.cpp (SQLite) at the same version of the program; `rowid` is the
// order of insertion, which SQLite has by itself. A step is never edited after a release: append a new one.
#include "attest/store/postgresql_schema.hpp"

#include <array>

namespace casemate::store {
namespace {

constexpr const char* step_1 = R"sql(
CREATE TABLE platforms (
    id TEXT COLLATE "C" PRIMARY KEY,
    ek_public BYTEA NOT NULL,
    ak_public BYTEA NOT NULL,
    ek_certificate BYTEA NOT NULL,
    banks TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    token_expires_at BIGINT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    clock BIGINT,
    reset_count BIGINT,
    restart_count BIGINT,
    last_attested_at BIGINT NOT NULL DEFAULT 0,
    last_verdict TEXT NOT NULL DEFAULT '',
    rebinding_allowed BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE TABLE enrolments (
    id TEXT COLLATE "C" PRIMARY KEY,
    platform_id TEXT NOT NULL,
    ek_public BYTEA NOT NULL,
    ak_public BYTEA NOT NULL,
    ek_certificate BYTEA NOT NULL,
    banks TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX enrolments_by_expiry ON enrolments(expires_at);
CREATE TABLE challenges (
    id TEXT COLLATE "C" PRIMARY KEY,
    platform_id TEXT COLLATE "C" NOT NULL REFERENCES platforms(id),
    nonce BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    used BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX challenges_by_expiry ON challenges(expires_at);
CREATE TABLE results (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id TEXT COLLATE "C" NOT NULL REFERENCES platforms(id),
    challenge_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    reasons TEXT NOT NULL,
    evidence TEXT NOT NULL,
    nonce BYTEA NOT NULL,
    reference TEXT NOT NULL
);
CREATE INDEX results_by_platform ON results(platform_id, id);
CREATE TABLE grants (
    id TEXT COLLATE "C" PRIMARY KEY,
    platform_id TEXT COLLATE "C" NOT NULL REFERENCES platforms(id),
    launch_id BYTEA NOT NULL,
    gate_nonce BYTEA NOT NULL,
    vm_id BYTEA NOT NULL,
    device TEXT NOT NULL,
    rights BIGINT NOT NULL,
    lease_seconds BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    evidence_clock BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    cose BYTEA NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0,
    revocation BYTEA NOT NULL DEFAULT '',
    held BIGINT NOT NULL DEFAULT 0,
    rowid BIGINT GENERATED ALWAYS AS IDENTITY,
    UNIQUE (platform_id, gate_nonce)
) WITH (fillfactor = 70);
CREATE INDEX grants_by_rowid ON grants(rowid);
CREATE TABLE reference_sets (
    id TEXT COLLATE "C" PRIMARY KEY,
    imported_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    source TEXT NOT NULL,
    rowid BIGINT GENERATED ALWAYS AS IDENTITY
);
CREATE TABLE reference_changes (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL
);
INSERT INTO reference_changes (id, generation) VALUES (1, 0);
CREATE TABLE audit (
    sequence BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BYTEA NOT NULL
);
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL
) WITH (fillfactor = 10);
INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
CREATE TABLE audit_checkpoints (
    sequence BIGINT PRIMARY KEY,
    message BYTEA NOT NULL
);
UPDATE schema_version SET version = 1;
)sql";

// What SQLite's step 3 brings.
constexpr const char* step_2 = R"sql(
ALTER TABLE platforms ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE results ADD COLUMN expectation TEXT NOT NULL DEFAULT '';
ALTER TABLE results ADD COLUMN token TEXT NOT NULL DEFAULT '';
CREATE TABLE operator_tokens (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE TABLE inventory (
    platform_id TEXT COLLATE "C" PRIMARY KEY,
    label TEXT NOT NULL,
    without_certificate BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL
);
CREATE TABLE fleet_rules (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
CREATE TABLE reference_archive (
    id TEXT COLLATE "C" PRIMARY KEY,
    document TEXT NOT NULL
);
INSERT INTO reference_archive (id, document) SELECT id, document FROM reference_sets;
UPDATE schema_version SET version = 2;
)sql";

// What SQLite's step 4 brings.
constexpr const char* step_3 = R"sql(
ALTER TABLE platforms ADD COLUMN silent_since BIGINT NOT NULL DEFAULT 0;
UPDATE schema_version SET version = 3;
)sql";

// What SQLite's step 5 brings.
constexpr const char* step_4 = R"sql(
CREATE TABLE event_logs (
    platform_id TEXT COLLATE "C" NOT NULL REFERENCES platforms(id),
    hash BYTEA NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (platform_id, hash)
);
ALTER TABLE results ADD COLUMN log_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN log_hash BYTEA NOT NULL DEFAULT '';
UPDATE schema_version SET version = 4;
)sql";

// What SQLite's step 6 brings.
constexpr const char* step_5 = R"sql(
CREATE TABLE signing_keys (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    key_id TEXT COLLATE "C" NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0
);
UPDATE schema_version SET version = 5;
)sql";

// What SQLite's step 7 brings.
constexpr const char* step_6 = R"sql(
CREATE TABLE bootstrap_grants (
    id TEXT COLLATE "C" PRIMARY KEY,
    platform_id TEXT COLLATE "C" NOT NULL,
    vm_id BYTEA NOT NULL,
    device TEXT NOT NULL,
    lease_seconds BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    cose BYTEA NOT NULL,
    withdrawn_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX bootstrap_grants_by_platform ON bootstrap_grants(platform_id);
UPDATE schema_version SET version = 6;
)sql";

// What SQLite's step 8 brings.
constexpr const char* step_7 = R"sql(
CREATE TABLE status_reports (
    platform_id TEXT COLLATE "C" PRIMARY KEY REFERENCES platforms(id),
    at BIGINT NOT NULL,
    report TEXT NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE operator_orders (
    platform_id TEXT COLLATE "C" NOT NULL REFERENCES platforms(id),
    number BIGINT NOT NULL,
    vm TEXT NOT NULL,
    word TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    given_by TEXT NOT NULL,
    error BIGINT,
    told_at BIGINT NOT NULL DEFAULT 0,
    withdrawn_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (platform_id, number)
);
CREATE TABLE sealed_secrets (
    platform_id TEXT COLLATE "C" PRIMARY KEY REFERENCES platforms(id),
    document TEXT NOT NULL,
    stored_at BIGINT NOT NULL,
    stored_by TEXT NOT NULL
);
UPDATE schema_version SET version = 7;
)sql";

constexpr std::array steps{step_1, step_2, step_3, step_4, step_5, step_6, step_7};

// Casemate's own number, so that it meets no other program's lock in the same database: "CASEMATE" in ASCII.
constexpr const char* take_turns = "SELECT pg_advisory_xact_lock(4846246231141340229)";

constexpr const char* make_version = "CREATE TABLE IF NOT EXISTS schema_version (id BIGINT PRIMARY KEY CHECK (id = 1), "
                                     "version BIGINT NOT NULL); "
                                     "INSERT INTO schema_version (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";

void check_encoding(PostgresqlSession& session) {
    const auto rows = session.query("SELECT setting FROM pg_settings WHERE name = 'server_encoding'", {});
    if (!rows->next() || rows->text(0) != "UTF8")
        throw StoreFailure("store: the PostgreSQL database must have the encoding UTF8");
}

std::size_t version_of(PostgresqlSession& session) {
    const auto rows = session.query("SELECT version FROM schema_version", {});
    if (!rows->next()) throw StoreFailure("store: the schema's version is missing");
    return static_cast<std::size_t>(rows->integer(0));
}

} // namespace

bool is_current(Session& session) {
    const auto rows = session.query("SELECT version FROM schema_version", {});
    return rows->next() && static_cast<std::size_t>(rows->integer(0)) == steps.size();
}

void migrate(PostgresqlSession& session) {
    check_encoding(session);
    session.execute("BEGIN");
    try {
        session.execute(take_turns);
        session.execute(make_version);
        const std::size_t version = version_of(session);
        if (version > steps.size()) throw StoreFailure("the store was written by a newer casemate-verifierd");
        for (std::size_t step = version; step < steps.size(); ++step) session.execute(steps[step]);
        session.commit();
    } catch (...) {
        session.rollback();
        throw;
    }
}

} // namespace casemate::store
