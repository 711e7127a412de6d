// SPDX-License-Identifier: Apache-2.0
// SqlStore: which owners' and grant keys count. A change raises the number that reference sets have too, so every replica sees it at its
// next request.
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

#define KEY_COLUMNS "id, key_id, purpose, name, not_before, not_after, added_at, added_by, revoked_at"

constexpr const char* note_change = "UPDATE reference_changes SET generation = generation + 1";

} // namespace

bool SqlStore::add_signing_key(const SigningKey& key) {
    return write([&](Session& session) {
        const bool added = session.run("INSERT INTO signing_keys (" KEY_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                                       "ON CONFLICT (id) DO NOTHING",
                                       {key.id, key.key_id, key.purpose, key.name, key.not_before, key.not_after, key.added_at,
                                        key.added_by, key.revoked_at}) == 1;
        if (added) session.queue(note_change, {});
        return added;
    });
}

bool SqlStore::revoke_signing_key(std::string_view key_id, Millis now) {
    return write([&](Session& session) {
        const bool revoked =
            session.run("UPDATE signing_keys SET revoked_at = $1 WHERE key_id = $2 AND revoked_at = 0", {now, key_id}) > 0;
        if (revoked) session.queue(note_change, {});
        return revoked;
    });
}

std::vector<SigningKey> SqlStore::signing_keys() {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " KEY_COLUMNS " FROM signing_keys ORDER BY number", {});
        std::vector<SigningKey> all;
        while (rows->next())
            all.push_back({rows->text(0), rows->text(1), rows->text(2), rows->text(3), rows->integer(4), rows->integer(5),
                           rows->integer(6), rows->text(7), rows->integer(8)});
        return all;
    });
}

} // namespace casemate::store
