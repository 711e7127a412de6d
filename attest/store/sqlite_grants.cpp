// SPDX-License-Identifier: Apache-2.0
// SqliteStore: grants, renewals, revocations and the holds that follow them.
#include "attest/store/sqlite_store.hpp"

namespace casemate::store {
namespace {

#define GRANT_COLUMNS                                                                                          \
    "id, platform_id, launch_id, gate_nonce, vm_id, device, rights, lease_seconds, epoch, "                    \
    "evidence_clock, issued_at, renewed_at, cose, revoked_at, revocation, held"

Grant read_grant(const Statement& row) {
    Grant grant;
    grant.id = row.text(0);
    grant.platform_id = row.text(1);
    grant.launch_id = row.blob(2);
    grant.gate_nonce = row.blob(3);
    grant.vm_id = row.blob(4);
    grant.device = row.text(5);
    grant.rights = row.integer(6);
    grant.lease_seconds = row.integer(7);
    grant.epoch = row.integer(8);
    grant.evidence_clock = row.integer(9);
    grant.issued_at = row.integer(10);
    grant.renewed_at = row.integer(11);
    grant.cose = row.blob(12);
    grant.revoked_at = row.integer(13);
    grant.revocation = row.blob(14);
    grant.held = row.integer(15) != 0;
    return grant;
}

std::vector<Grant> read_all(Statement& rows) {
    std::vector<Grant> all;
    while (rows.step()) all.push_back(read_grant(rows));
    return all;
}

} // namespace

void SqliteStore::add_grant(const Grant& grant) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "INSERT INTO grants (" GRANT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                           "?, ?, ?)"}
        .bind(grant.id).bind(grant.platform_id).bind(grant.launch_id).bind(grant.gate_nonce).bind(grant.vm_id)
        .bind(grant.device).bind(grant.rights).bind(grant.lease_seconds).bind(grant.epoch).bind(grant.evidence_clock)
        .bind(grant.issued_at).bind(grant.renewed_at).bind(grant.cose).bind(grant.revoked_at)
        .bind(grant.revocation).bind(std::int64_t{grant.held}).run();
}

std::optional<Grant> SqliteStore::grant(std::string_view id) {
    const std::lock_guard guard{lock_};
    Statement row{connection_, "SELECT " GRANT_COLUMNS " FROM grants WHERE id = ?"};
    row.bind(id);
    if (!row.step()) return std::nullopt;
    return read_grant(row);
}

std::vector<Grant> SqliteStore::grants(int limit) {
    const std::lock_guard guard{lock_};
    Statement rows{connection_, "SELECT " GRANT_COLUMNS " FROM grants ORDER BY rowid DESC LIMIT ?"};
    rows.bind(std::int64_t{limit});
    return read_all(rows);
}

std::vector<Grant> SqliteStore::grants_of(std::string_view platform_id) {
    const std::lock_guard guard{lock_};
    Statement rows{connection_, "SELECT " GRANT_COLUMNS " FROM grants WHERE platform_id = ? ORDER BY rowid"};
    rows.bind(platform_id);
    return read_all(rows);
}

void SqliteStore::set_renewal(std::string_view id, std::int64_t evidence_clock, Millis now) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "UPDATE grants SET evidence_clock = ?, renewed_at = ? WHERE id = ?"}
        .bind(evidence_clock).bind(now).bind(id).run();
}

void SqliteStore::set_reissue(std::string_view id, const Blob& cose, std::int64_t evidence_clock, Millis now) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "UPDATE grants SET cose = ?, evidence_clock = ?, renewed_at = ? WHERE id = ?"}
        .bind(cose).bind(evidence_clock).bind(now).bind(id).run();
}

bool SqliteStore::revoke(std::string_view id, const Blob& revocation, Millis now) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "UPDATE grants SET revoked_at = ?, revocation = ?, held = 1 WHERE id = ? AND "
                           "revoked_at = 0"}
        .bind(now).bind(revocation).bind(id).run();
    return connection_.changes() == 1;
}

bool SqliteStore::lift_hold(std::string_view id) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "UPDATE grants SET held = 0 WHERE id = ? AND held = 1"}.bind(id).run();
    return connection_.changes() == 1;
}

} // namespace casemate::store
