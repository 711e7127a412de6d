// SPDX-License-Identifier: Apache-2.0
// SqlStore: enrolments and platforms. Whether an AK is bound to a platform is decided by single conditional statements, so
// that two enrolments at once, on one replica or two, cannot bind two keys.
#include "attest/store/sql_rows.hpp"
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

bool insert_platform(Session& session, const Platform& platform) {
    const Identity& identity = platform.identity;
    return session.run("INSERT INTO platforms (id, ek_public, ak_public, ek_certificate, banks, token_hash, "
                       "token_expires_at, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
                       {identity.platform_id, ByteView{identity.ek_public}, ByteView{identity.ak_public},
                        ByteView{identity.ek_certificate}, identity.banks, ByteView{platform.token_hash},
                        platform.token_expires_at, platform.enrolled_at}) == 1;
}

/// A known platform with the same keys: a new token, nothing else.
bool renew_token(Session& session, const Platform& platform) {
    return session.run("UPDATE platforms SET token_hash = $1, token_expires_at = $2 "
                       "WHERE id = $3 AND ak_public = $4 AND banks = $5",
                       {ByteView{platform.token_hash}, platform.token_expires_at, platform.identity.platform_id,
                        ByteView{platform.identity.ak_public}, platform.identity.banks}) == 1;
}

/// An operator allowed it: new AK, new banks, and the clock starts again.
bool rebind(Session& session, const Platform& platform) {
    const Identity& identity = platform.identity;
    return session.run("UPDATE platforms SET ak_public = $1, ek_certificate = $2, banks = $3, token_hash = $4, "
                       "token_expires_at = $5, clock = NULL, reset_count = NULL, restart_count = NULL, "
                       "rebinding_allowed = 0 WHERE id = $6 AND rebinding_allowed = 1",
                       {ByteView{identity.ak_public}, ByteView{identity.ek_certificate}, identity.banks,
                        ByteView{platform.token_hash}, platform.token_expires_at, identity.platform_id}) == 1;
}

} // namespace

void SqlStore::add_enrolment(const Enrolment& enrolment, Millis now) {
    write([&](Session& session) {
        session.queue("DELETE FROM enrolments WHERE expires_at <= $1", {now});
        const Identity& identity = enrolment.identity;
        session.queue("INSERT INTO enrolments (id, platform_id, ek_public, ak_public, ek_certificate, banks, "
                      "secret_hash, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                      {enrolment.id, identity.platform_id, ByteView{identity.ek_public}, ByteView{identity.ak_public},
                       ByteView{identity.ek_certificate}, identity.banks, ByteView{enrolment.secret_hash},
                       enrolment.expires_at});
    });
}

std::optional<Enrolment> SqlStore::take_enrolment(std::string_view id, Millis now) {
    return once([&](Session& session) -> std::optional<Enrolment> {
        const auto row = session.query("DELETE FROM enrolments WHERE id = $1 RETURNING id, platform_id, ek_public, "
                                       "ak_public, ek_certificate, banks, secret_hash, expires_at", {id});
        if (!row->next()) return std::nullopt;
        Enrolment taken{row->text(0), {row->text(1), row->blob(2), row->blob(3), row->blob(4), row->text(5)},
                        row->blob(6), row->integer(7)};
        finish(*row);
        if (taken.expires_at <= now) return std::nullopt;
        return taken;
    });
}

BindOutcome SqlStore::bind_platform(const Platform& platform) {
    return write([&](Session& session) {
        const bool bound = insert_platform(session, platform) || rebind(session, platform) ||
                           renew_token(session, platform);
        return bound ? BindOutcome::bound : BindOutcome::conflict;
    });
}

bool SqlStore::allow_rebinding(std::string_view platform_id) {
    return write([&](Session& session) {
        return session.run("UPDATE platforms SET rebinding_allowed = 1 WHERE id = $1", {platform_id}) == 1;
    });
}

std::optional<Platform> SqlStore::hold_platform(std::string_view platform_id) {
    SqlUnit* unit = open_unit();
    if (unit == nullptr) throw StoreFailure("store: a platform is held within a unit of work only");
    if (!unit->session().has_row_locks()) return platform(platform_id); // the only writer holds all
    // NO KEY: as in sql_ground.cpp.
    const auto row = unit->session().query("SELECT " PLATFORM_COLUMNS " FROM platforms WHERE id = $1 FOR NO KEY UPDATE", {platform_id});
    if (!row->next()) return std::nullopt;
    return read_platform(*row);
}

std::optional<Platform> SqlStore::platform(std::string_view id) {
    return read([&](Session& session) -> std::optional<Platform> {
        const auto row = session.query("SELECT " PLATFORM_COLUMNS " FROM platforms WHERE id = $1", {id});
        if (!row->next()) return std::nullopt;
        return read_platform(*row);
    });
}

std::vector<Platform> SqlStore::platforms() {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " PLATFORM_COLUMNS " FROM platforms ORDER BY id", {});
        std::vector<Platform> all;
        while (rows->next()) all.push_back(read_platform(*rows));
        return all;
    });
}

bool SqlStore::set_platform_state(std::string_view platform_id, std::string_view state) {
    return write([&](Session& session) {
        return session.run("UPDATE platforms SET state = $1 WHERE id = $2 AND state <> $1", {state, platform_id}) == 1;
    });
}

std::vector<Presence> SqlStore::presences(std::string_view after, int limit) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT id, state, enrolled_at, last_attested_at, silent_since FROM platforms "
                                        "WHERE id > $1 ORDER BY id LIMIT $2", {after, std::int64_t{limit}});
        std::vector<Presence> part;
        while (rows->next())
            part.push_back({rows->text(0), rows->text(1), rows->integer(2), rows->integer(3), rows->integer(4)});
        return part;
    });
}

bool SqlStore::mark_silent(const Presence& seen, Millis now) {
    return write([&](Session& session) {
        return session.run("UPDATE platforms SET silent_since = $1 WHERE id = $2 AND silent_since = 0 AND state = 'active' "
                           "AND last_attested_at = $3", {now, seen.id, seen.last_attested_at}) == 1;
    });
}

} // namespace casemate::store
