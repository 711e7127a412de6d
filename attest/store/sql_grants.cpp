// SPDX-License-Identifier: Apache-2.0
// SqlStore: grants, renewals, revocations and the holds that follow them.
#include "attest/store/sql_rows.hpp"
#include "attest/store/sql_store.hpp"

namespace casemate::store {
void SqlStore::add_grant(const Grant& grant) {
    write([&](Session& session) {
        session.run("INSERT INTO grants (" GRANT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
                    "$13, $14, $15, $16)",
                    {grant.id, grant.platform_id, ByteView{grant.launch_id}, ByteView{grant.gate_nonce},
                     ByteView{grant.vm_id}, grant.device, grant.rights, grant.lease_seconds, grant.epoch,
                     grant.evidence_clock, grant.issued_at, grant.renewed_at, ByteView{grant.cose}, grant.revoked_at,
                     ByteView{grant.revocation}, std::int64_t{grant.held}});
    });
}

std::optional<Grant> SqlStore::grant(std::string_view id) {
    return read([&](Session& session) -> std::optional<Grant> {
        const auto row = session.query("SELECT " GRANT_COLUMNS " FROM grants WHERE id = $1", {id});
        if (!row->next()) return std::nullopt;
        return read_grant(*row);
    });
}

std::vector<Grant> SqlStore::grants(int limit) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " GRANT_COLUMNS " FROM grants ORDER BY rowid DESC LIMIT $1",
                                        {std::int64_t{limit}});
        return read_all(*rows);
    });
}

std::vector<Grant> SqlStore::grants_of(std::string_view platform_id) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " GRANT_COLUMNS " FROM grants WHERE platform_id = $1 ORDER BY rowid",
                                        {platform_id});
        return read_all(*rows);
    });
}

void SqlStore::set_renewal(std::string_view id, std::int64_t evidence_clock, Millis now) {
    write([&](Session& session) {
        session.queue("UPDATE grants SET evidence_clock = $1, renewed_at = $2 WHERE id = $3", {evidence_clock, now, id});
    });
}

void SqlStore::set_reissue(std::string_view id, const Blob& cose, std::int64_t evidence_clock, Millis now) {
    write([&](Session& session) {
        session.queue("UPDATE grants SET cose = $1, evidence_clock = $2, renewed_at = $3 WHERE id = $4",
                      {ByteView{cose}, evidence_clock, now, id});
    });
}

bool SqlStore::revoke(std::string_view id, const Blob& revocation, Millis now) {
    return write([&](Session& session) {
        return session.run("UPDATE grants SET revoked_at = $1, revocation = $2, held = 1 WHERE id = $3 AND "
                           "revoked_at = 0", {now, ByteView{revocation}, id}) == 1;
    });
}

bool SqlStore::lift_hold(std::string_view id) {
    return write([&](Session& session) {
        return session.run("UPDATE grants SET held = 0 WHERE id = $1 AND held = 1", {id}) == 1;
    });
}

LeaseCount SqlStore::count_leases(std::int64_t after, int limit, Millis now) {
    return read([&](Session& session) -> LeaseCount {
        const auto row = session.query(
            "SELECT COALESCE(SUM(CASE WHEN part.ends > $1 THEN 1 ELSE 0 END), 0), "
            "COALESCE(SUM(CASE WHEN part.ends > $1 AND part.half <= $1 THEN 1 ELSE 0 END), 0), COALESCE(MAX(part.number), 0) FROM "
            "(SELECT rowid AS number, CASE WHEN revoked_at = 0 THEN renewed_at + lease_seconds * 1000 ELSE 0 END AS ends, "
            "renewed_at + lease_seconds * 500 AS half FROM grants WHERE rowid > $2 ORDER BY rowid LIMIT $3) AS part",
            {now, after, std::int64_t{limit}});
        if (!row->next()) return {};
        return {row->integer(0), row->integer(1), row->integer(2)};
    });
}

} // namespace casemate::store
