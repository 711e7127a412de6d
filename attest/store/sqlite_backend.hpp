// SPDX-License-Identifier: Apache-2.0
// SqlStore's back end on SQLite: one connection that writes, whose users take turns and share commits (write_group.hpp), and one
// that reads what is committed and does not wait for the writers' disk. Statements are prepared once. Made by
// open_sqlite_store only.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "attest/store/sql.hpp"
#include "attest/store/sqlite.hpp"
#include "attest/store/write_group.hpp"

namespace casemate::store {

class SqliteSession final : public Session {
public:
    /// `writers`: null for a session that only reads.
    SqliteSession(Connection& connection, WriteGroup* writers) : connection_{connection}, writers_{writers} {}

    [[nodiscard]] std::unique_ptr<Rows> query(const char* sql, Parameters parameters) override;
    [[nodiscard]] std::vector<std::unique_ptr<Rows>> query_all(std::initializer_list<Query> queries) override;
    std::int64_t run(const char* sql, Parameters parameters) override;
    void queue(const char* sql, Parameters parameters) override { run(sql, parameters); }
    void begin() override { writers_->begin(); }
    void begin_single() override { begin(); }
    void commit() override { writers_->commit(); }
    void commit_early() override { commit(); } // one writer: nobody waits for a row
    void commit_later() override { writers_->commit_later(); }
    void rollback() noexcept override { writers_->rollback(); }
    [[nodiscard]] bool has_row_locks() const override { return false; }

private:
    [[nodiscard]] Statement& prepared(const char* sql, Parameters parameters);

    Connection& connection_;
    WriteGroup* writers_;
    std::map<const char*, Statement> statements_;
};

class SqliteBackend final : public Backend {
public:
    explicit SqliteBackend(const std::filesystem::path& file);
    /// Has nothing to be given back: turns begin and end with transactions.
    [[nodiscard]] Lease borrow() override;
    void check() override;
    [[nodiscard]] Lease borrow_reader() override;
    void settle() override { writers_.settle(); }

private:
    Connection connection_;
    WriteGroup writers_{connection_};
    SqliteSession session_{connection_, &writers_};
    std::timed_mutex reading_;
    std::unique_ptr<Connection> reader_;
    std::unique_ptr<SqliteSession> reader_session_;
};

} // namespace casemate::store
