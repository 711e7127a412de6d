// SPDX-License-Identifier: Apache-2.0
// SqlStore: bootstrap grants.
#include "attest/store/sql_store.hpp"

namespace casemate::store {

void SqlStore::add_bootstrap_grant(const BootstrapGrant& grant) {
    write([&](Session& session) {
        session.run("INSERT INTO bootstrap_grants (id, platform_id, vm_id, device, lease_seconds, epoch, issued_at, issued_by, cose, withdrawn_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    {grant.id, grant.platform_id, ByteView{grant.vm_id}, grant.device, grant.lease_seconds, grant.epoch, grant.issued_at,
                     grant.issued_by, ByteView{grant.cose}, grant.withdrawn_at});
    });
}

std::vector<BootstrapGrant> SqlStore::bootstrap_grants_of(std::string_view platform_id) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT id, platform_id, vm_id, device, lease_seconds, epoch, issued_at, issued_by, cose, withdrawn_at "
                                        "FROM bootstrap_grants WHERE platform_id = $1 ORDER BY issued_at, id", {platform_id});
        std::vector<BootstrapGrant> all;
        while (rows->next())
            all.push_back({rows->text(0), rows->text(1), rows->blob(2), rows->text(3), rows->integer(4), rows->integer(5), rows->integer(6),
                           rows->text(7), rows->blob(8), rows->integer(9)});
        return all;
    });
}

std::optional<std::string> SqlStore::withdraw_bootstrap_grant(std::string_view id, Millis now) {
    return write([&](Session& session) -> std::optional<std::string> {
        if (session.run("UPDATE bootstrap_grants SET withdrawn_at = $1 WHERE id = $2 AND withdrawn_at = 0", {now, id}) != 1) return std::nullopt;
        const auto row = session.query("SELECT platform_id FROM bootstrap_grants WHERE id = $1", {id});
        return row->next() ? std::optional{row->text(0)} : std::nullopt;
    });
}

} // namespace casemate::store
