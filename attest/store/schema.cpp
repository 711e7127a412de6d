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

constexpr std::array steps{step_1};

std::int64_t version_of(Connection& connection) {
    Statement statement{connection, "PRAGMA user_version"};
    return statement.step() ? statement.integer(0) : 0;
}

} // namespace

void migrate(Connection& connection) {
    Transaction transaction{connection};
    const auto version = static_cast<std::size_t>(version_of(connection));
    if (version > steps.size()) throw StoreFailure("the store was written by a newer casemate-verifierd");
    for (std::size_t step = version; step < steps.size(); ++step) connection.execute(steps[step]);
    transaction.commit();
}

} // namespace casemate::store
