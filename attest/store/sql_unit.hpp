// SPDX-License-Identifier: Apache-2.0
// SqlStore's transactions. A unit belongs to the thread that began it; audit rows wait in it and are chained last, just
// before the commit, so that the trail's head (one row for all replicas) is held as briefly as possible.
// Included by sql_store.hpp only.
#pragma once

#include "attest/store/sql_store.hpp"

namespace casemate::store {

class SqlStore::SqlUnit final : public Unit {
public:
    explicit SqlUnit(SqlStore& store);
    ~SqlUnit() override;
    SqlUnit(const SqlUnit&) = delete;
    SqlUnit& operator=(const SqlUnit&) = delete;

    void commit() override;
    [[nodiscard]] Session& session() { return *session_; }
    void add(const AuditRow& row) { rows_.push_back(row); }

private:
    friend class SqlStore;
    void end() noexcept;

    SqlStore& store_;
    Backend::Lease session_;
    std::vector<AuditRow> rows_;
    SqlUnit* outer_ = nullptr; // of this thread, on another store
    bool open_ = true;
    bool committed_ = false;
};

class SqlStore::SqlDeferral final : public Deferral {
public:
    explicit SqlDeferral(SqlStore& store);
    ~SqlDeferral() override;
    SqlDeferral(const SqlDeferral&) = delete;
    SqlDeferral& operator=(const SqlDeferral&) = delete;
    void settle() override;
    /// Does this thread defer on that store?
    [[nodiscard]] static bool on(const SqlStore& store);

private:
    SqlStore& store_;
    bool open_ = true;
};

template <typename Work>
auto SqlStore::write(Work work) {
    if (SqlUnit* unit = open_unit()) return work(unit->session());
    SqlUnit unit{*this};
    if constexpr (std::is_void_v<decltype(work(unit.session()))>) {
        work(unit.session());
        unit.commit();
    } else {
        auto result = work(unit.session());
        unit.commit();
        return result;
    }
}

template <typename Work>
auto SqlStore::once(Work work) {
    if (SqlUnit* unit = open_unit()) return work(unit->session());
    auto result = [&] {
        const Backend::Lease session = backend_->borrow(); // given back before settle(), which may need one
        session->begin_single();
        try {
            auto done = work(*session);
            session->commit_later();
            return done;
        } catch (...) {
            session->rollback();
            throw;
        }
    }();
    if (!SqlDeferral::on(*this)) backend_->settle();
    return result;
}

template <typename Work>
auto SqlStore::read(Work work) {
    if (SqlUnit* unit = open_unit()) return work(unit->session());
    try {
        const Backend::Lease session = backend_->borrow_reader();
        return work(*session);
    } catch (const ConnectionLost&) {
        const Backend::Lease session = backend_->borrow_reader();
        return work(*session);
    }
}

} // namespace casemate::store
