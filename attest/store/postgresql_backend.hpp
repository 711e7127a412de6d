// SPDX-License-Identifier: Apache-2.0
// SqlStore's back end on PostgreSQL: a pool of connections, opened as needed, never more than its limit. A connection that
// the server ended is replaced when it is borrowed next, so a restarted server costs no restart here.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "attest/store/postgresql.hpp"

namespace casemate::store {

class PostgresqlBackend final : public Backend {
public:
    /// Connects once and brings the schema up to date: ConnectionLost or StoreFailure when that cannot be done.
    PostgresqlBackend(std::string conninfo, std::size_t limit);
    [[nodiscard]] Lease borrow() override;
    void check() override;
    [[nodiscard]] Lease borrow_reader() override { return borrow(); }
    void settle() override;

private:
    void give_back(Session* session);
    [[nodiscard]] std::unique_ptr<PostgresqlSession> take_idle();

    const std::string conninfo_;
    const std::size_t limit_;
    std::mutex lock_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<PostgresqlSession>> idle_;
    std::size_t lent_ = 0;
};

} // namespace casemate::store
