// SPDX-License-Identifier: Apache-2.0
// SqlStore: tokens of operators, the inventory of expected platforms, and the rules of the fleet.
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

#define TOKEN_COLUMNS "id, name, role, token_hash, created_at, expires_at, created_by"
#define ENTRY_COLUMNS "platform_id, label, without_certificate, added_at, added_by"

OperatorToken read_token(const Rows& row) {
    return {row.text(0), row.text(1), row.text(2), row.blob(3), row.integer(4), row.integer(5), row.text(6)};
}

InventoryEntry read_entry(const Rows& row) {
    return {row.text(0), row.text(1), row.integer(2) != 0, row.integer(3), row.text(4)};
}

} // namespace

void SqlStore::add_operator_token(const OperatorToken& token) {
    write([&](Session& session) {
        (void)session.run("INSERT INTO operator_tokens (" TOKEN_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)",
                          {token.id, token.name, token.role, ByteView{token.token_hash}, token.created_at, token.expires_at,
                           token.created_by});
    });
}

std::optional<OperatorToken> SqlStore::operator_token(const Blob& token_hash) {
    return read([&](Session& session) -> std::optional<OperatorToken> {
        const auto row = session.query("SELECT " TOKEN_COLUMNS " FROM operator_tokens WHERE token_hash = $1",
                                       {ByteView{token_hash}});
        if (!row->next()) return std::nullopt;
        return read_token(*row);
    });
}

std::vector<OperatorToken> SqlStore::operator_tokens() {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " TOKEN_COLUMNS " FROM operator_tokens ORDER BY name, id", {});
        std::vector<OperatorToken> all;
        while (rows->next()) all.push_back(read_token(*rows));
        return all;
    });
}

bool SqlStore::remove_operator_token(std::string_view id) {
    return write([&](Session& session) {
        return session.run("DELETE FROM operator_tokens WHERE id = $1", {id}) == 1;
    });
}

void SqlStore::add_inventory(const std::vector<InventoryEntry>& entries) {
    write([&](Session& session) {
        for (const InventoryEntry& entry : entries)
            session.queue("INSERT INTO inventory (" ENTRY_COLUMNS ") VALUES ($1, $2, $3, $4, $5) "
                          "ON CONFLICT (platform_id) DO UPDATE SET label = excluded.label, "
                          "without_certificate = excluded.without_certificate, added_at = excluded.added_at, "
                          "added_by = excluded.added_by",
                          {entry.platform_id, entry.label, std::int64_t{entry.without_certificate}, entry.added_at,
                           entry.added_by});
    });
}

std::optional<InventoryEntry> SqlStore::inventory_entry(std::string_view platform_id) {
    return read([&](Session& session) -> std::optional<InventoryEntry> {
        const auto row = session.query("SELECT " ENTRY_COLUMNS " FROM inventory WHERE platform_id = $1", {platform_id});
        if (!row->next()) return std::nullopt;
        return read_entry(*row);
    });
}

std::vector<InventoryEntry> SqlStore::inventory(int limit) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " ENTRY_COLUMNS " FROM inventory ORDER BY platform_id LIMIT $1",
                                        {std::int64_t{limit}});
        std::vector<InventoryEntry> all;
        while (rows->next()) all.push_back(read_entry(*rows));
        return all;
    });
}

bool SqlStore::remove_inventory(std::string_view platform_id) {
    return write([&](Session& session) {
        return session.run("DELETE FROM inventory WHERE platform_id = $1", {platform_id}) == 1;
    });
}

std::int64_t SqlStore::rule(std::string_view name) {
    return read([&](Session& session) {
        const auto row = session.query("SELECT value FROM fleet_rules WHERE name = $1", {name});
        return row->next() ? row->integer(0) : std::int64_t{0};
    });
}

void SqlStore::set_rule(std::string_view name, std::int64_t value) {
    write([&](Session& session) {
        session.queue("INSERT INTO fleet_rules (name, value) VALUES ($1, $2) "
                      "ON CONFLICT (name) DO UPDATE SET value = excluded.value", {name, value});
    });
}

} // namespace casemate::store
