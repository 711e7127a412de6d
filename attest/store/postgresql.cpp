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

/// The server ends this connection: it shuts down, crashed, or lost patience [PostgreSQL 15, appendix A, class 57P and 25P03].
bool ends_connection(std::string_view sqlstate) { return sqlstate.starts_with("57P") || sqlstate == "25P03"; }

} // namespace

PostgresqlSession::PostgresqlSession(const std::string& conninfo) {
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
    if (ready == 0 || (ready < 0 && errno != EINTR))
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

PostgresqlSession::Result PostgresqlSession::answer(int sent) {
    if (sent == 0) fail(nullptr);
    const auto deadline = Clock::now() + server_patience;
    flush(deadline);
    Result answer{nullptr, &PQclear};
    for (;;) {
        while (PQisBusy(connection_) == 1) {
            wait(POLLIN, deadline);
            if (PQconsumeInput(connection_) == 0) fail(nullptr);
        }
        Result next{PQgetResult(connection_), &PQclear};
        if (!next) break;
        const bool failed_before = answer && PQresultStatus(answer.get()) == PGRES_FATAL_ERROR;
        if (!failed_before) answer = std::move(next); // the first error is the cause
    }
    if (!answer) fail(nullptr);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(answer.get());
    return answer;
}

void PostgresqlSession::fail(const pg_result* result) {
    const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string sqlstate = state == nullptr ? "" : state;
    const std::string reason = primary == nullptr ? first_line(PQerrorMessage(connection_)) : first_line(primary);
    const std::string text = "store: PostgreSQL" + (sqlstate.empty() ? "" : " " + sqlstate) + ": " + reason;
    if (PQstatus(connection_) == CONNECTION_BAD || ends_connection(sqlstate)) throw ConnectionLost(text);
    throw StoreFailure(text);
}

const std::string& PostgresqlSession::prepared(const char* sql, Parameters parameters) {
    const auto known = statements_.find(sql);
    if (known != statements_.end()) return known->second;
    const std::string name = "s" + std::to_string(statements_.size());
    const Encoded encoded{parameters};
    (void)answer(PQsendPrepare(connection_, name.c_str(), sql, static_cast<int>(encoded.types.size()), encoded.types.data()));
    return statements_.emplace(sql, name).first->second;
}

PostgresqlSession::Result PostgresqlSession::run_prepared(const char* sql, Parameters parameters) {
    const std::string& name = prepared(sql, parameters);
    const Encoded encoded{parameters};
    return answer(PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(encoded.values.size()),
                                      encoded.values.data(), encoded.lengths.data(), encoded.formats.data(), 1));
}

std::unique_ptr<Rows> PostgresqlSession::query(const char* sql, Parameters parameters) {
    return std::make_unique<PostgresqlRows>(run_prepared(sql, parameters));
}

std::int64_t PostgresqlSession::run(const char* sql, Parameters parameters) {
    const Result result = run_prepared(sql, parameters);
    if (PQntuples(result.get()) != 0) throw StoreFailure("store: a statement gave a row that nobody expected");
    return std::atoll(PQcmdTuples(result.get()));
}

void PostgresqlSession::execute(const char* sql) { (void)answer(PQsendQuery(connection_, sql)); }

void PostgresqlSession::begin() { execute("BEGIN"); }

void PostgresqlSession::commit() {
    const Result result = answer(PQsendQuery(connection_, "COMMIT"));
    // A COMMIT after an error inside the transaction rolls back, and says so in its tag only.
    if (std::strcmp(PQcmdStatus(result.get()), "COMMIT") != 0) throw StoreFailure("store: PostgreSQL rolled back");
}

void PostgresqlSession::rollback() noexcept {
    try {
        if (PQtransactionStatus(connection_) != PQTRANS_ACTIVE) execute("ROLLBACK");
    } catch (const std::exception&) {
        // usable() is false now: the pool closes the connection, and the server rolls back.
    }
}

bool PostgresqlSession::usable() const {
    if (PQstatus(connection_) != CONNECTION_OK || PQtransactionStatus(connection_) != PQTRANS_IDLE) return false;
    pollfd descriptor{PQsocket(connection_), POLLIN, 0};
    return ::poll(&descriptor, 1, 0) == 0; // an idle connection has nothing to say but goodbye
}

} // namespace casemate::store
