// SPDX-License-Identifier: Apache-2.0
// SqlStore: units of work, reference sets.
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

thread_local void* innermost = nullptr; // SqlStore::SqlUnit, private there

} // namespace

SqlStore::SqlUnit::SqlUnit(SqlStore& store) : store_{store} {
    if (store.open_unit() != nullptr) throw StoreFailure("store: this thread has a unit of work open already");
    session_ = store.backend_->borrow();
    try {
        session_->begin();
    } catch (const ConnectionLost&) {
        // A server that was restarted: the pool's connection was dead, nothing was begun.
        session_.reset();
        session_ = store.backend_->borrow();
        session_->begin();
    }
    outer_ = static_cast<SqlUnit*>(innermost);
    innermost = this;
}

SqlStore::SqlUnit::~SqlUnit() {
    if (open_) end();
    innermost = outer_;
}

/// Gives the session back; what was not committed is gone.
void SqlStore::SqlUnit::end() noexcept {
    if (!committed_) session_->rollback();
    session_.reset();
    open_ = false;
}

void SqlStore::SqlUnit::commit() {
    if (!open_) throw StoreFailure("store: this unit of work ended before");
    try {
        if (!rows_.empty()) store_.append_audit(*session_, rows_);
        // The trail's head is what everybody waits for: not while the disk works.
        if (rows_.empty()) session_->commit();
        else session_->commit_early();
        committed_ = true;
    } catch (...) {
        end();
        throw;
    }
    end();
}

SqlStore::SqlUnit* SqlStore::open_unit() const {
    for (auto* unit = static_cast<SqlUnit*>(innermost); unit != nullptr; unit = unit->outer_)
        if (&unit->store_ == this && unit->open_) return unit;
    return nullptr;
}

namespace {

thread_local const SqlStore* deferring = nullptr;

} // namespace

SqlStore::SqlDeferral::SqlDeferral(SqlStore& store) : store_{store} {
    if (deferring != nullptr) throw StoreFailure("store: this thread defers already");
    deferring = &store;
}

SqlStore::SqlDeferral::~SqlDeferral() {
    try {
        settle();
    } catch (const std::exception&) { // whoever left without settle() has failed already
    }
}

void SqlStore::SqlDeferral::settle() {
    if (!open_) return;
    open_ = false;
    deferring = nullptr;
    store_.backend_->settle();
}

bool SqlStore::SqlDeferral::on(const SqlStore& store) { return deferring == &store; }

std::unique_ptr<Deferral> SqlStore::defer_takes() { return std::make_unique<SqlDeferral>(*this); }

std::unique_ptr<Unit> SqlStore::begin() { return std::make_unique<SqlUnit>(*this); }

namespace {

/// Replicas keep parsed reference sets and read them again when this number has changed.
void count_change(Session& session) {
    session.queue("UPDATE reference_changes SET generation = generation + 1", {});
}

void insert_reference(Session& session, const ReferenceSet& set) {
    session.queue("INSERT INTO reference_sets (id, imported_at, document, source) VALUES ($1, $2, $3, $4) "
                  "ON CONFLICT (id) DO UPDATE SET imported_at = excluded.imported_at, source = excluded.source",
                  {set.id, set.imported_at, set.document, set.source});
    session.queue("INSERT INTO reference_archive (id, document) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
                  {set.id, set.document});
}

} // namespace

void SqlStore::add_reference(const ReferenceSet& set) {
    write([&](Session& session) {
        count_change(session);
        insert_reference(session, set);
    });
}

void SqlStore::replace_references(const std::vector<ReferenceSet>& sets) {
    write([&](Session& session) {
        count_change(session); // first: its row lock makes two replicas that start at once take turns
        session.queue("DELETE FROM reference_sets", {});
        for (const ReferenceSet& set : sets) insert_reference(session, set);
    });
}

bool SqlStore::remove_reference(std::string_view id) {
    return write([&](Session& session) {
        count_change(session);
        return session.run("DELETE FROM reference_sets WHERE id = $1", {id}) == 1;
    });
}

std::vector<ReferenceSet> SqlStore::references() {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT id, imported_at, document, source FROM reference_sets "
                                        "ORDER BY imported_at DESC, rowid DESC", {});
        std::vector<ReferenceSet> sets;
        while (rows->next()) sets.push_back({rows->text(0), rows->integer(1), rows->text(2), rows->text(3)});
        return sets;
    });
}

std::optional<std::string> SqlStore::archived_reference(std::string_view id) {
    return read([&](Session& session) -> std::optional<std::string> {
        const auto row = session.query("SELECT document FROM reference_archive WHERE id = $1", {id});
        if (!row->next()) return std::nullopt;
        return row->text(0);
    });
}

std::int64_t SqlStore::reference_generation() {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT generation FROM reference_changes", {});
        if (!rows->next()) throw StoreFailure("store: the row of reference_changes is missing");
        return rows->integer(0);
    });
}

} // namespace casemate::store
