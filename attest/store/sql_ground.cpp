// SPDX-License-Identifier: Apache-2.0
// SqlStore: what evidence is decided by, in one exchange with the database. The platform's row comes first: the others are read while it
// is held.
#include "attest/store/sql_rows.hpp"
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

#define SELECT_PLATFORM "SELECT " PLATFORM_COLUMNS " FROM platforms WHERE id = $1"

constexpr const char* select_platform = SELECT_PLATFORM;
constexpr const char* hold_row = SELECT_PLATFORM " FOR NO KEY UPDATE"; // another replica may store challenges for it meanwhile

std::int64_t integer_or(Rows& rows, std::int64_t otherwise) { return rows.next() ? rows.integer(0) : otherwise; }

} // namespace

std::optional<Ground> SqlStore::hold_ground(std::string_view platform_id, std::string_view rule_name, const Blob& log_hash) {
    SqlUnit* unit = open_unit();
    if (unit == nullptr) throw StoreFailure("store: a platform is held within a unit of work only");
    Session& session = unit->session();
    const auto rows = session.query_all({
        {session.has_row_locks() ? hold_row : select_platform, {platform_id}}, // SQLite: the only writer holds all
        {"SELECT " GRANT_COLUMNS " FROM grants WHERE platform_id = $1 ORDER BY rowid", {platform_id}},
        {"SELECT generation FROM reference_changes", {}},
        {"SELECT value FROM fleet_rules WHERE name = $1", {rule_name}},
        {"SELECT hash FROM event_logs WHERE platform_id = $1 AND hash = $2", {platform_id, ByteView{log_hash}}},
    });
    if (!rows[0]->next()) return std::nullopt;
    Ground ground{read_platform(*rows[0]), read_all(*rows[1]), integer_or(*rows[2], -1), integer_or(*rows[3], 0), rows[4]->next()};
    if (ground.reference_generation < 0) throw StoreFailure("store: the row of reference_changes is missing");
    return ground;
}

} // namespace casemate::store
