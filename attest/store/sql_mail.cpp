// SPDX-License-Identifier: Apache-2.0
// SqlStore: status reports, operator's orders and sealed secrets of platforms whose agents have no relay.
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

#define ORDER_COLUMNS "platform_id, number, vm, word, given_at, given_by, error, told_at, withdrawn_at"

OperatorOrder read_order(const Rows& row) {
    OperatorOrder order{row.text(0), row.integer(1), row.text(2), row.text(3), row.integer(4), row.text(5), {}, row.integer(7), row.integer(8)};
    if (!row.is_null(6)) order.error = row.integer(6);
    return order;
}

std::vector<OperatorOrder> read_orders(Session& session, const char* sql, std::string_view platform_id) {
    const auto rows = session.query(sql, {platform_id});
    std::vector<OperatorOrder> all;
    while (rows->next()) all.push_back(read_order(*rows));
    return all;
}

/// Of all that were ever given: the newest one is never dropped.
struct Given {
    std::int64_t newest = 0;
    std::int64_t waiting = 0;
};

Given given_to(Session& session, std::string_view platform_id) {
    const auto row = session.query("SELECT COALESCE(MAX(number), 0), COUNT(CASE WHEN error IS NULL AND withdrawn_at = 0 THEN 1 END) "
                                   "FROM operator_orders WHERE platform_id = $1", {platform_id});
    if (!row->next()) return {};
    return {row->integer(0), row->integer(1)};
}

} // namespace

void SqlStore::put_report(const StatusReport& report, const std::vector<OrderResult>& results) {
    write([&](Session& session) {
        session.queue("INSERT INTO status_reports (platform_id, at, report) VALUES ($1, $2, $3) "
                      "ON CONFLICT (platform_id) DO UPDATE SET at = excluded.at, report = excluded.report",
                      {report.platform_id, report.at, report.report});
        for (const OrderResult& result : results)
            session.queue("UPDATE operator_orders SET error = $1, told_at = $2 WHERE platform_id = $3 AND number = $4 AND error IS NULL",
                          {result.error, report.at, report.platform_id, result.number});
    });
}

std::optional<StatusReport> SqlStore::status_report(std::string_view platform_id) {
    return read([&](Session& session) -> std::optional<StatusReport> {
        const auto row = session.query("SELECT platform_id, at, report FROM status_reports WHERE platform_id = $1", {platform_id});
        if (!row->next()) return std::nullopt;
        return StatusReport{row->text(0), row->integer(1), row->text(2)};
    });
}

std::optional<std::int64_t> SqlStore::add_order(const OperatorOrder& order, std::int64_t most) {
    return write([&](Session& session) -> std::optional<std::int64_t> {
        const Given given = given_to(session, order.platform_id);
        if (given.waiting >= most) return std::nullopt;
        const std::int64_t number = given.newest + 1;
        session.queue("INSERT INTO operator_orders (platform_id, number, vm, word, given_at, given_by) VALUES ($1, $2, $3, $4, $5, $6)",
                      {order.platform_id, number, order.vm, order.order, order.given_at, order.given_by});
        session.queue("DELETE FROM operator_orders WHERE platform_id = $1 AND number <= $2 AND (error IS NOT NULL OR withdrawn_at <> 0)",
                      {order.platform_id, number - max_kept_orders});
        return number;
    });
}

std::vector<OperatorOrder> SqlStore::orders_of(std::string_view platform_id) {
    return read([&](Session& session) {
        return read_orders(session, "SELECT " ORDER_COLUMNS " FROM operator_orders WHERE platform_id = $1 ORDER BY number", platform_id);
    });
}

std::vector<OperatorOrder> SqlStore::untold_orders(std::string_view platform_id) {
    return read([&](Session& session) {
        return read_orders(session, "SELECT " ORDER_COLUMNS " FROM operator_orders WHERE platform_id = $1 AND error IS NULL ORDER BY number",
                           platform_id);
    });
}

std::int64_t SqlStore::withdraw_orders(std::string_view platform_id, Millis now) {
    return write([&](Session& session) {
        return session.run("UPDATE operator_orders SET withdrawn_at = $1 WHERE platform_id = $2 AND error IS NULL AND withdrawn_at = 0",
                           {now, platform_id});
    });
}

void SqlStore::put_secrets(const SealedSecrets& secrets) {
    write([&](Session& session) {
        session.queue("INSERT INTO sealed_secrets (platform_id, document, stored_at, stored_by) VALUES ($1, $2, $3, $4) "
                      "ON CONFLICT (platform_id) DO UPDATE SET document = excluded.document, stored_at = excluded.stored_at, "
                      "stored_by = excluded.stored_by",
                      {secrets.platform_id, secrets.document, secrets.stored_at, secrets.stored_by});
    });
}

std::optional<SealedSecrets> SqlStore::secrets_of(std::string_view platform_id) {
    return read([&](Session& session) -> std::optional<SealedSecrets> {
        const auto row = session.query("SELECT platform_id, document, stored_at, stored_by FROM sealed_secrets WHERE platform_id = $1",
                                       {platform_id});
        if (!row->next()) return std::nullopt;
        return SealedSecrets{row->text(0), row->text(1), row->integer(2), row->text(3)};
    });
}

} // namespace casemate::store
