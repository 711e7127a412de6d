// SPDX-License-Identifier: Apache-2.0
// See postgresql_backend.hpp.
#include "attest/store/postgresql_backend.hpp"

#include "attest/store/postgresql_schema.hpp"
#include "attest/store/sql_store.hpp"
#include "attest/store/timed_backend.hpp"

namespace casemate::store {

PostgresqlBackend::PostgresqlBackend(std::string conninfo, std::size_t limit)
    : conninfo_{std::move(conninfo)}, limit_{limit} {
    auto first = std::make_unique<PostgresqlSession>(conninfo_, this);
    migrate(*first);
    idle_.reserve(limit_); // so that giving back never allocates
    idle_.push_back(std::move(first));
}

/// An idle connection that still lives, and counts it as lent; without one the caller opens one.
std::unique_ptr<PostgresqlSession> PostgresqlBackend::take_idle() {
    std::unique_lock guard{lock_};
    if (!returned_.wait_for(guard, server_patience, [&] { return lent_ < limit_; }))
        throw StoreFailure("store: no connection to PostgreSQL became free in time");
    ++lent_;
    while (!idle_.empty()) {
        std::unique_ptr<PostgresqlSession> session = std::move(idle_.back());
        idle_.pop_back();
        if (session->usable()) return session;
    }
    return nullptr;
}

Backend::Lease PostgresqlBackend::borrow() {
    std::unique_ptr<PostgresqlSession> session = take_idle();
    try {
        if (!session) session = std::make_unique<PostgresqlSession>(conninfo_, this);
        Lease lease{nullptr, [this](Session* lent) { give_back(lent); }};
        lease.reset(session.release());
        return lease;
    } catch (...) {
        const std::lock_guard guard{lock_};
        --lent_;
        returned_.notify_one();
        throw;
    }
}

void PostgresqlBackend::give_back(Session* session) {
    std::unique_ptr<PostgresqlSession> owned{static_cast<PostgresqlSession*>(session)};
    const bool keep = owned->usable();
    const std::lock_guard guard{lock_};
    if (keep) idle_.push_back(std::move(owned));
    --lent_;
    returned_.notify_one();
}

void PostgresqlBackend::check() {
    const Lease lease = borrow();
    if (!is_current(*lease)) throw OtherSchema();
}

void PostgresqlBackend::settle() {
    if (!PostgresqlSession::owes(this)) return;
    const Lease session = borrow();
    static_cast<PostgresqlSession&>(*session).flush_log();
}

std::unique_ptr<Store> open_postgresql_store(const std::string& conninfo, std::size_t connections, Observer observer) {
    return std::make_unique<SqlStore>(timed(std::make_unique<PostgresqlBackend>(conninfo, connections), std::move(observer)));
}

} // namespace casemate::store
