// SPDX-License-Identifier: Apache-2.0
// One connection to PostgreSQL over libpq, in pipeline mode: statements whose answer nobody needs yet travel with the next one.
// They are prepared once on each connection; values go as binary parameters [PostgreSQL 15, 34.3, 34.5]. Every wait for the server is bounded here (server_patience) and in the server
// (statement, lock and idle timeouts), so that neither a dead server nor a stopped replica holds others for ever.
// Used by one thread at a time; called by postgresql_backend only.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "attest/store/sql.hpp"

struct pg_conn;
struct pg_result;

namespace casemate::store {

inline constexpr std::chrono::seconds server_patience{10}; // for an answer; the server gives up before

class PostgresqlSession final : public Session {
public:
    /// Connects. ConnectionLost when the server cannot be reached.
    /// `pool`: whose commits all go to one server's log.
    explicit PostgresqlSession(const std::string& conninfo, const void* pool = nullptr);
    ~PostgresqlSession() override;
    PostgresqlSession(const PostgresqlSession&) = delete;
    PostgresqlSession& operator=(const PostgresqlSession&) = delete;

    [[nodiscard]] std::unique_ptr<Rows> query(const char* sql, Parameters parameters) override;
    [[nodiscard]] std::vector<std::unique_ptr<Rows>> query_all(std::initializer_list<Query> queries) override;
    std::int64_t run(const char* sql, Parameters parameters) override;
    void queue(const char* sql, Parameters parameters) override;
    void begin() override;
    void begin_single() override;
    void commit() override;
    void commit_early() override;
    void commit_later() override;
    void rollback() noexcept override;
    [[nodiscard]] bool has_row_locks() const override { return true; }

    /// Returns when all that was committed before on this pool's server, by whichever connection, is on the disk.
    void flush_log();
    /// Did this thread end a transaction of that pool with commit_later() and commit nothing since?
    [[nodiscard]] static bool owes(const void* pool);

    /// Several statements without parameters, for the schema.
    void execute(const char* sql);
    /// False when the server ended the connection meanwhile or something is left over on it. Does not wait.
    [[nodiscard]] bool usable() const;

private:
    using Result = std::unique_ptr<pg_result, void (*)(pg_result*)>;

    using Deadline = std::chrono::steady_clock::time_point;

    const std::string& prepared(const char* sql, Parameters parameters);
    /// Ends the batch: sends what is queued, reads every answer, gives the last one or throws the first error.
    [[nodiscard]] Result answer();
    /// The same, with the answer of each statement that it has had, in order.
    [[nodiscard]] std::vector<Result> answers();
    [[nodiscard]] Result next_result(Deadline deadline);
    void flush(Deadline deadline);
    void wait(short events, Deadline deadline);
    void require(int sent);
    [[noreturn]] void fail(const pg_result* result);

    void await_commit();
    void paid();

    const void* pool_;
    pg_conn* connection_ = nullptr;
    bool broken_ = false; // an answer did not come in time: whatever comes now belongs to nobody
    bool rolled_back_ = false; // a transaction ended so in the last batch
    std::map<const char*, std::string> statements_;
    std::vector<const char*> preparing_; // in this batch: unknown to the server when the batch fails
    std::size_t prepared_count_ = 0;     // names are never used twice
};

} // namespace casemate::store
