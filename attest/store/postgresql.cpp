// SPDX-License-Identifier: Apache-2.0
// See postgresql.hpp.
#include "attest/store/postgresql.hpp"

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include <libpq-fe.h>
#include <poll.h>

namespace casemate::store {
namespace {

using Clock = std::chrono::steady_clock;

// Type numbers of the server's catalogue (pg_type.dat): what the parameters are, so that it guesses nothing.
constexpr Oid type_bytea = 17, type_int8 = 20, type_text = 25;

// What a decision needs, whatever the server's configuration says; the timeouts let a replica that was stopped in the middle of
// a transaction lose the locks that others wait for.
constexpr const char* session_settings = "SET synchronous_commit TO on; SET client_encoding TO 'UTF8'; "
                                         "SET default_transaction_isolation TO 'read committed'; "
                                         "SET statement_timeout TO '8s'; SET lock_timeout TO '8s'; "
                                         "SET idle_in_transaction_session_timeout TO '6s'";

/// The parameters in libpq's form; owns the encoded integers.
class Encoded {
public:
    explicit Encoded(Parameters parameters) {
        numbers_.reserve(parameters.size()); // viewed by values: must not move
        for (const Parameter& parameter : parameters) add(parameter);
    }
    std::vector<Oid> types;
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;

private:
    void add(const Parameter& parameter) {
        if (const auto* number = std::get_if<std::int64_t>(&parameter)) return push(type_int8, encoded(*number), 8);
        if (const auto* text = std::get_if<std::string_view>(&parameter)) return push(type_text, text->data(), text->size());
        if (const auto* bytes = std::get_if<ByteView>(&parameter))
            // SAFETY: char and std::uint8_t alias.
            return push(type_bytea, reinterpret_cast<const char*>(bytes->data()), bytes->size());
        types.push_back(type_int8);
        values.push_back(nullptr); // NULL
        lengths.push_back(0);
        formats.push_back(1);
    }
    void push(Oid type, const char* value, std::size_t size) {
        types.push_back(type);
        values.push_back(size == 0 ? "" : value); // an empty value has an address, NULL has none
        lengths.push_back(static_cast<int>(size));
        formats.push_back(1);
    }
    const char* encoded(std::int64_t number) {
        std::array<char, 8>& bytes = numbers_.emplace_back();
        for (unsigned i = 0; i < 8; ++i)
            bytes[i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * (7 - i)));
        return bytes.data();
    }
    std::vector<std::array<char, 8>> numbers_;
};

class PostgresqlRows final : public Rows {
public:
    explicit PostgresqlRows(std::unique_ptr<pg_result, void (*)(pg_result*)> result) : result_{std::move(result)} {}

    [[nodiscard]] bool next() override { return ++row_ < PQntuples(result_.get()); }
    [[nodiscard]] std::int64_t integer(int column) const override {
        const std::string bytes = text(column);
        if (bytes.size() != 8) throw StoreFailure("store: the server's column is not a 64-bit integer");
        std::uint64_t value = 0;
        for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
        return static_cast<std::int64_t>(value);
    }
    [[nodiscard]] std::string text(int column) const override {
        return {PQgetvalue(result_.get(), row_, column),
                static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
    }
    [[nodiscard]] Blob blob(int column) const override {
        const std::string bytes = text(column);
        return {bytes.begin(), bytes.end()};
    }
    [[nodiscard]] bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) == 1; }

private:
    std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
    int row_ = -1;
};

std::string first_line(const char* text) {
    const std::string_view all = text == nullptr ? "" : text;
    return std::string{all.substr(0, all.find('\n'))};
}

/// A transaction that changes nothing and whose commit goes to the log behind all that came before.
constexpr const char* flush_message = "SELECT pg_logical_emit_message(true, 'casemate', '')";

thread_local const void* owing = nullptr; // the pool

/// The server ends this connection: it shuts down, crashed, or lost patience [PostgreSQL 15, appendix A, class 57P and 25P03].
bool ends_connection(std::string_view sqlstate) { return sqlstate.starts_with("57P") || sqlstate == "25P03"; }

} // namespace

PostgresqlSession::PostgresqlSession(const std::string& conninfo, const void* pool) : pool_{pool} {
    const char* keywords[] = {"dbname", "connect_timeout", "application_name", nullptr};
    const char* values[] = {conninfo.c_str(), "5", "casemate-verifierd", nullptr};
    connection_ = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(connection_) != CONNECTION_OK || PQsetnonblocking(connection_, 1) != 0) {
        const std::string reason = first_line(PQerrorMessage(connection_));
        PQfinish(connection_);
        throw ConnectionLost("store: cannot connect to PostgreSQL: " + reason);
    }
    PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
    try {
        execute(session_settings);
    } catch (...) {
        PQfinish(connection_);
        throw;
    }
}

PostgresqlSession::~PostgresqlSession() { PQfinish(connection_); }

void PostgresqlSession::wait(short events, Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd descriptor{PQsocket(connection_), events, 0};
    const int ready = left > 0 ? ::poll(&descriptor, 1, static_cast<int>(left)) : 0;
    if (ready > 0 || (ready < 0 && errno == EINTR)) return;
    broken_ = true;
    throw StoreFailure("store: PostgreSQL did not answer in time");
}

void PostgresqlSession::flush(Clock::time_point deadline) {
    for (;;) {
        const int state = PQflush(connection_);
        if (state == 0) return;
        if (state < 0) fail(nullptr);
        wait(POLLIN | POLLOUT, deadline);
        if (PQconsumeInput(connection_) == 0) fail(nullptr); // the server may have to write before it reads on
    }
}

PostgresqlSession::Result PostgresqlSession::next_result(Deadline deadline) {
    while (PQisBusy(connection_) == 1) {
        wait(POLLIN, deadline);
        if (PQconsumeInput(connection_) == 0) fail(nullptr);
    }
    return {PQgetResult(connection_), &PQclear};
}

PostgresqlSession::Result PostgresqlSession::answer() { return std::move(answers().back()); }

std::vector<PostgresqlSession::Result> PostgresqlSession::answers() {
    require(PQpipelineSync(connection_));
    const auto deadline = Clock::now() + server_patience;
    flush(deadline);
    rolled_back_ = false;
    std::vector<Result> all;
    Result error{nullptr, &PQclear};
    for (bool gap = false;;) {
        Result next = next_result(deadline);
        if (!next && (gap || PQstatus(connection_) == CONNECTION_BAD)) fail(error.get());
        gap = !next; // each statement's results end with one
        if (!next) continue;
        const ExecStatusType status = PQresultStatus(next.get());
        if (status == PGRES_PIPELINE_SYNC) break;
        rolled_back_ = rolled_back_ || std::strcmp(PQcmdStatus(next.get()), "ROLLBACK") == 0;
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) all.push_back(std::move(next));
        else if (!error) error = std::move(next); // the first error is the cause, what follows was skipped
    }
    if (error || all.empty()) fail(error.get());
    preparing_.clear();
    return all;
}

void PostgresqlSession::require(int sent) {
    if (sent == 0) fail(nullptr);
}

void PostgresqlSession::fail(const pg_result* result) {
    const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    for (const char* sql : preparing_) statements_.erase(sql);
    preparing_.clear();
    const std::string sqlstate = state == nullptr ? "" : state;
    const std::string reason = primary == nullptr ? first_line(PQerrorMessage(connection_)) : first_line(primary);
    const std::string text = "store: PostgreSQL" + (sqlstate.empty() ? "" : " " + sqlstate) + ": " + reason;
    if (PQstatus(connection_) == CONNECTION_BAD || ends_connection(sqlstate)) throw ConnectionLost(text);
    throw StoreFailure(text);
}

const std::string& PostgresqlSession::prepared(const char* sql, Parameters parameters) {
    const auto known = statements_.find(sql);
    if (known != statements_.end()) return known->second;
    const std::string name = "s" + std::to_string(++prepared_count_);
    const Encoded encoded{parameters};
    require(PQsendPrepare(connection_, name.c_str(), sql, static_cast<int>(encoded.types.size()), encoded.types.data()));
    preparing_.push_back(sql);
    return statements_.emplace(sql, name).first->second;
}

void PostgresqlSession::queue(const char* sql, Parameters parameters) {
    const std::string& name = prepared(sql, parameters);
    const Encoded encoded{parameters};
    require(PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(encoded.values.size()), encoded.values.data(),
                                encoded.lengths.data(), encoded.formats.data(), 1));
}

std::unique_ptr<Rows> PostgresqlSession::query(const char* sql, Parameters parameters) {
    queue(sql, parameters);
    return std::make_unique<PostgresqlRows>(answer());
}

/// The last answers with rows are theirs: what was queued before has none, nor have preparations.
std::vector<std::unique_ptr<Rows>> PostgresqlSession::query_all(std::initializer_list<Query> queries) {
    for (const Query& each : queries) queue(each.sql, each.parameters);
    std::vector<Result> results = answers();
    std::erase_if(results, [](const Result& one) { return PQresultStatus(one.get()) != PGRES_TUPLES_OK; });
    if (results.size() < queries.size()) throw StoreFailure("store: PostgreSQL left a query without rows");
    std::vector<std::unique_ptr<Rows>> all;
    for (std::size_t i = results.size() - queries.size(); i < results.size(); ++i)
        all.push_back(std::make_unique<PostgresqlRows>(std::move(results[i])));
    return all;
}

std::int64_t PostgresqlSession::run(const char* sql, Parameters parameters) {
    queue(sql, parameters);
    const Result result = answer();
    if (PQntuples(result.get()) != 0) throw StoreFailure("store: a statement gave a row that nobody expected");
    return std::atoll(PQcmdTuples(result.get()));
}

void PostgresqlSession::execute(const char* sql) {
    // Several statements in one text go by the simple protocol, which pipeline mode does not have.
    if (PQexitPipelineMode(connection_) != 1) fail(nullptr);
    require(PQsendQuery(connection_, sql));
    const auto deadline = Clock::now() + server_patience;
    flush(deadline);
    Result error{nullptr, &PQclear};
    while (Result next = next_result(deadline))
        if (PQresultStatus(next.get()) == PGRES_FATAL_ERROR && !error) error = std::move(next);
    const bool entered = PQenterPipelineMode(connection_) == 1;
    if (error || !entered) fail(error.get());
}

void PostgresqlSession::begin() { queue("BEGIN", {}); }

/// What is sent until the query's answer is awaited is one transaction [PostgreSQL 15, 34.5.1].
void PostgresqlSession::begin_single() { queue("SELECT set_config('synchronous_commit', 'off', true)", {}); }

/// A COMMIT after an error inside the transaction rolls back, and says so in its tag only.
void PostgresqlSession::await_commit() {
    (void)answer();
    if (rolled_back_) throw StoreFailure("store: PostgreSQL rolled back");
    paid();
}

void PostgresqlSession::commit() {
    queue("COMMIT", {});
    await_commit();
}

/// The server lets the locks go at COMMIT and goes on to the next transaction, whose commit waits for the disk: one message there and one back.
void PostgresqlSession::commit_early() {
    queue("SET LOCAL synchronous_commit TO off", {});
    queue("COMMIT", {});
    queue(flush_message, {});
    await_commit();
}

void PostgresqlSession::commit_later() {
    if (owing == nullptr || owing == pool_) owing = pool_;
    else flush_log();
}

/// This small transaction's own commit waits for the disk, and all before it in the log gets there with it or earlier.
void PostgresqlSession::flush_log() {
    queue(flush_message, {});
    (void)answer();
    paid();
}

bool PostgresqlSession::owes(const void* pool) { return owing == pool; }

void PostgresqlSession::paid() {
    if (owing == pool_) owing = nullptr;
}

void PostgresqlSession::rollback() noexcept {
    // The first one may be skipped, with what was queued before it and failed. When the second one fails too, usable() is
    // false: the pool closes the connection, and the server rolls back.
    for (int attempt = 0; attempt < 2 && !broken_ && PQtransactionStatus(connection_) != PQTRANS_IDLE; ++attempt) {
        try {
            queue("ROLLBACK", {});
            (void)answer();
        } catch (const std::exception&) {
        }
    }
}

bool PostgresqlSession::usable() const {
    if (broken_ || PQstatus(connection_) != CONNECTION_OK || PQtransactionStatus(connection_) != PQTRANS_IDLE) return false;
    pollfd descriptor{PQsocket(connection_), POLLIN, 0};
    return ::poll(&descriptor, 1, 0) == 0; // an idle connection has nothing to say but goodbye
}

} // namespace casemate::store
