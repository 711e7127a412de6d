// SPDX-License-Identifier: Apache-2.0
// SqlStore's back end on SQLite: one connection under one lock (SQLite has one writer anyway; a request holds it for some
// tens of microseconds), statements prepared once. Made by open_sqlite_store only.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>

#include "attest/store/sql.hpp"
#include "attest/store/sqlite.hpp"

namespace casemate::store {

class SqliteSession final : public Session {
public:
    explicit SqliteSession(Connection& connection) : connection_{connection} {}

    [[nodiscard]] std::unique_ptr<Rows> query(const char* sql, Parameters parameters) override;
    std::int64_t run(const char* sql, Parameters parameters) override;
    void queue(const char* sql, Parameters parameters) override { run(sql, parameters); }
    void begin() override { connection_.execute("BEGIN IMMEDIATE"); }
    void commit() override { connection_.execute("COMMIT"); }
    void commit_early() override { commit(); } // one writer: nobody waits for a row
    void rollback() noexcept override;
    [[nodiscard]] bool has_row_locks() const override { return false; }

private:
    [[nodiscard]] Statement& prepared(const char* sql, Parameters parameters);

    Connection& connection_;
    std::map<const char*, Statement> statements_;
};

class SqliteBackend final : public Backend {
public:
    explicit SqliteBackend(const std::filesystem::path& file);
    [[nodiscard]] Lease borrow() override;
    void check() override;

private:
    std::timed_mutex lock_;
    Connection connection_;
    SqliteSession session_;
};

} // namespace casemate::store
