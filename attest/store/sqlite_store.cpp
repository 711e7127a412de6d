// SPDX-License-Identifier: Apache-2.0
// SqliteStore: opening, reference sets, audit trail.
#include "attest/store/sqlite_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "attest/store/schema.hpp"

namespace casemate::store {
namespace {

/// Creates the file readable by the owner only, before SQLite would create it with the umask's mode;
/// SQLite gives its -wal and -shm files the mode of the database.
const std::filesystem::path& private_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_CREAT | O_CLOEXEC | O_RDWR, 0600);
    if (descriptor < 0) throw StoreFailure("cannot create the store " + file.string());
    ::close(descriptor);
    return file;
}

} // namespace

SqliteStore::SqliteStore(const std::filesystem::path& file) : connection_{private_file(file)} {
    migrate(connection_);
}

void SqliteStore::insert_reference(const ReferenceSet& set) {
    Statement{connection_, "INSERT INTO reference_sets (id, imported_at, document, source) VALUES (?, ?, ?, ?) "
                           "ON CONFLICT (id) DO UPDATE SET imported_at = excluded.imported_at, source = excluded.source"}
        .bind(set.id).bind(set.imported_at).bind(set.document).bind(set.source).run();
}

void SqliteStore::add_reference(const ReferenceSet& set) {
    const std::lock_guard guard{lock_};
    insert_reference(set);
}

void SqliteStore::replace_references(const std::vector<ReferenceSet>& sets) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    connection_.execute("DELETE FROM reference_sets");
    for (const ReferenceSet& set : sets) insert_reference(set);
    transaction.commit();
}

bool SqliteStore::remove_reference(std::string_view id) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "DELETE FROM reference_sets WHERE id = ?"}.bind(id).run();
    return connection_.changes() == 1;
}

std::vector<ReferenceSet> SqliteStore::references() {
    const std::lock_guard guard{lock_};
    Statement rows{connection_, "SELECT id, imported_at, document, source FROM reference_sets "
                                "ORDER BY imported_at DESC, rowid DESC"};
    std::vector<ReferenceSet> sets;
    while (rows.step()) sets.push_back({rows.text(0), rows.integer(1), rows.text(2), rows.text(3)});
    return sets;
}

void SqliteStore::audit(const AuditRow& row) {
    const std::lock_guard guard{lock_};
    Statement{connection_, "INSERT INTO audit (at, actor, action, object, outcome, detail) VALUES (?, ?, ?, ?, ?, ?)"}
        .bind(row.at).bind(row.actor).bind(row.action).bind(row.object).bind(row.outcome).bind(row.detail).run();
}

std::vector<AuditRow> SqliteStore::audit_rows(int limit) {
    const std::lock_guard guard{lock_};
    Statement rows{connection_,
                   "SELECT at, actor, action, object, outcome, detail FROM audit ORDER BY id DESC LIMIT ?"};
    rows.bind(std::int64_t{limit});
    std::vector<AuditRow> trail;
    while (rows.step())
        trail.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5)});
    return trail;
}

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file) {
    return std::make_unique<SqliteStore>(file);
}

} // namespace casemate::store
