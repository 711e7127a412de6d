// SPDX-License-Identifier: Apache-2.0
// SqliteStore: enrolments and platforms. The binding of an AK to a platform is decided here, inside one
// transaction, so that two enrolments at once cannot bind two keys.
#include "attest/store/sqlite_store.hpp"

namespace casemate::store {
namespace {

constexpr const char* select_platform =
    "SELECT id, ek_public, ak_public, ek_certificate, banks, token_hash, token_expires_at, enrolled_at, "
    "clock, reset_count, restart_count, last_attested_at, last_verdict, rebinding_allowed FROM platforms WHERE id = ?";
constexpr const char* select_platforms =
    "SELECT id, ek_public, ak_public, ek_certificate, banks, token_hash, token_expires_at, enrolled_at, "
    "clock, reset_count, restart_count, last_attested_at, last_verdict, rebinding_allowed FROM platforms ORDER BY id";

Platform read_platform(const Statement& row) {
    Platform platform;
    platform.identity = {row.text(0), row.blob(1), row.blob(2), row.blob(3), row.text(4)};
    platform.token_hash = row.blob(5);
    platform.token_expires_at = row.integer(6);
    platform.enrolled_at = row.integer(7);
    if (!row.is_null(8)) platform.last_clock = ClockInfo{row.integer(8), row.integer(9), row.integer(10)};
    platform.last_attested_at = row.integer(11);
    platform.last_verdict = row.text(12);
    platform.rebinding_allowed = row.integer(13) != 0;
    return platform;
}

void insert_platform(Connection& connection, const Platform& platform) {
    Statement{connection, "INSERT INTO platforms (id, ek_public, ak_public, ek_certificate, banks, token_hash, "
                          "token_expires_at, enrolled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"}
        .bind(platform.identity.platform_id).bind(platform.identity.ek_public).bind(platform.identity.ak_public)
        .bind(platform.identity.ek_certificate).bind(platform.identity.banks).bind(platform.token_hash)
        .bind(platform.token_expires_at).bind(platform.enrolled_at).run();
}

/// A known platform with the same keys: a new token, nothing else.
void renew_token(Connection& connection, const Platform& platform) {
    Statement{connection, "UPDATE platforms SET token_hash = ?, token_expires_at = ? WHERE id = ?"}
        .bind(platform.token_hash).bind(platform.token_expires_at).bind(platform.identity.platform_id).run();
}

/// An operator allowed it: new AK, new banks, and the clock starts again.
void rebind(Connection& connection, const Platform& platform) {
    Statement{connection, "UPDATE platforms SET ak_public = ?, ek_certificate = ?, banks = ?, token_hash = ?, "
                          "token_expires_at = ?, clock = NULL, reset_count = NULL, restart_count = NULL, "
                          "rebinding_allowed = 0 WHERE id = ?"}
        .bind(platform.identity.ak_public).bind(platform.identity.ek_certificate).bind(platform.identity.banks)
        .bind(platform.token_hash).bind(platform.token_expires_at).bind(platform.identity.platform_id).run();
}

} // namespace

void SqliteStore::add_enrolment(const Enrolment& enrolment, Millis now) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    Statement{connection_, "DELETE FROM enrolments WHERE expires_at <= ?"}.bind(now).run();
    const Identity& identity = enrolment.identity;
    Statement{connection_, "INSERT INTO enrolments (id, platform_id, ek_public, ak_public, ek_certificate, banks, "
                           "secret_hash, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"}
        .bind(enrolment.id).bind(identity.platform_id).bind(identity.ek_public).bind(identity.ak_public)
        .bind(identity.ek_certificate).bind(identity.banks).bind(enrolment.secret_hash).bind(enrolment.expires_at).run();
    transaction.commit();
}

std::optional<Enrolment> SqliteStore::take_enrolment(std::string_view id, Millis now) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    std::optional<Enrolment> taken;
    {
        Statement row{connection_, "SELECT id, platform_id, ek_public, ak_public, ek_certificate, banks, "
                                   "secret_hash, expires_at FROM enrolments WHERE id = ?"};
        row.bind(id);
        if (row.step())
            taken = Enrolment{row.text(0), {row.text(1), row.blob(2), row.blob(3), row.blob(4), row.text(5)},
                              row.blob(6), row.integer(7)};
    }
    Statement{connection_, "DELETE FROM enrolments WHERE id = ?"}.bind(id).run();
    transaction.commit();
    if (taken && taken->expires_at <= now) taken.reset();
    return taken;
}

BindOutcome SqliteStore::bind_platform(const Platform& platform) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    std::optional<Platform> known;
    {
        Statement row{connection_, select_platform};
        row.bind(platform.identity.platform_id);
        if (row.step()) known = read_platform(row);
    }
    const bool same_keys = known && known->identity.ak_public == platform.identity.ak_public &&
                           known->identity.banks == platform.identity.banks;
    if (!known) {
        insert_platform(connection_, platform);
    } else if (known->rebinding_allowed) {
        rebind(connection_, platform);
    } else if (same_keys) {
        renew_token(connection_, platform);
    } else {
        return BindOutcome::conflict;
    }
    transaction.commit();
    return BindOutcome::bound;
}

bool SqliteStore::allow_rebinding(std::string_view platform_id) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "UPDATE platforms SET rebinding_allowed = 1 WHERE id = ?"}.bind(platform_id).run();
    return connection_.changes() == 1;
}

std::optional<Platform> SqliteStore::platform(std::string_view id) {
    const std::lock_guard guard{lock_};
    Statement row{connection_, select_platform};
    row.bind(id);
    if (!row.step()) return std::nullopt;
    return read_platform(row);
}

std::vector<Platform> SqliteStore::platforms() {
    const std::lock_guard guard{lock_};
    Statement rows{connection_, select_platforms};
    std::vector<Platform> all;
    while (rows.step()) all.push_back(read_platform(rows));
    return all;
}

} // namespace casemate::store
