// SPDX-License-Identifier: Apache-2.0
// SqlStore: the audit trail. The head is one row: who appends holds it until the commit, so replicas take turns and the chain
// has neither gap nor fork; a transaction that is rolled back leaves no number behind.
#include "attest/store/sql_store.hpp"

#include <algorithm>

namespace casemate::store {
namespace {

audit::Hash hash_of(const Blob& blob) {
    audit::Hash hash{};
    if (blob.size() != hash.size()) throw StoreFailure("store: a hash of the audit trail is damaged");
    std::copy(blob.begin(), blob.end(), hash.begin());
    return hash;
}

audit::Head hold_head(Session& session) {
    const auto rows = session.has_row_locks()
                          ? session.query("SELECT sequence, hash FROM audit_head FOR UPDATE", {})
                          : session.query("SELECT sequence, hash FROM audit_head", {});
    if (!rows->next()) throw StoreFailure("store: the head of the audit trail is missing");
    return {rows->integer(0), hash_of(rows->blob(1))};
}

void insert_row(Session& session, const audit::ChainedRow& chained) {
    const AuditRow& row = chained.row;
    session.queue("INSERT INTO audit (sequence, at, actor, action, object, outcome, detail, hash) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                  {chained.sequence, row.at, row.actor, row.action, row.object, row.outcome, row.detail, ByteView{chained.hash}});
}

AuditRow row_from(const Rows& rows) {
    return {rows.integer(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5), rows.text(6)};
}

} // namespace

void SqlStore::audit(const AuditRow& row) {
    if (SqlUnit* unit = open_unit()) return unit->add(row);
    SqlUnit unit{*this};
    unit.add(row);
    unit.commit();
}

void SqlStore::append_audit(Session& session, const std::vector<AuditRow>& rows) {
    audit::Head head = hold_head(session);
    for (const AuditRow& row : rows) {
        insert_row(session, audit::chain(head, row));
        if (checkpointing_.sign && head.sequence % checkpointing_.interval == 0) add_checkpoint(session, head, row.at);
    }
    session.queue("UPDATE audit_head SET sequence = $1, hash = $2", {head.sequence, ByteView{head.hash}});
}

void SqlStore::add_checkpoint(Session& session, const audit::Head& head, Millis now) {
    const Blob message = checkpointing_.sign({head, now});
    session.queue("INSERT INTO audit_checkpoints (sequence, message) VALUES ($1, $2)", {head.sequence, ByteView{message}});
}

bool SqlStore::checkpoint(Millis now) {
    if (!checkpointing_.sign) return false;
    return write([&](Session& session) {
        const audit::Head head = hold_head(session);
        const auto rows = session.query("SELECT sequence FROM audit_checkpoints WHERE sequence = $1", {head.sequence});
        if (head.sequence == 0 || rows->next()) return false;
        add_checkpoint(session, head, now);
        return true;
    });
}

void SqlStore::sign_checkpoints(audit::Checkpointing checkpointing) {
    if (checkpointing.interval < 1) throw StoreFailure("store: checkpoints need an interval of at least one row");
    checkpointing_ = std::move(checkpointing);
}

audit::Head SqlStore::audit_head() {
    return read([&](Session& session) -> audit::Head {
        const auto rows = session.query("SELECT sequence, hash FROM audit_head", {});
        if (!rows->next()) throw StoreFailure("store: the head of the audit trail is missing");
        return {rows->integer(0), hash_of(rows->blob(1))};
    });
}

std::vector<AuditRow> SqlStore::audit_rows(int limit) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT sequence, at, actor, action, object, outcome, detail FROM audit "
                                        "ORDER BY sequence DESC LIMIT $1", {std::int64_t{limit}});
        std::vector<AuditRow> trail;
        while (rows->next()) trail.push_back(row_from(*rows));
        return trail;
    });
}

std::vector<audit::ChainedRow> SqlStore::audit_trail(std::int64_t after, int limit) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT sequence, at, actor, action, object, outcome, detail, hash FROM audit "
                                        "WHERE sequence > $1 ORDER BY sequence LIMIT $2", {after, std::int64_t{limit}});
        std::vector<audit::ChainedRow> trail;
        while (rows->next()) trail.push_back({rows->integer(0), row_from(*rows), hash_of(rows->blob(7))});
        return trail;
    });
}

std::vector<SignedHead> SqlStore::audit_checkpoints(std::int64_t after, std::int64_t until) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT sequence, message FROM audit_checkpoints "
                                        "WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence", {after, until});
        std::vector<SignedHead> all;
        while (rows->next()) all.push_back({rows->integer(0), rows->blob(1)});
        return all;
    });
}

} // namespace casemate::store
