// SPDX-License-Identifier: Apache-2.0
// RAII over the SQLite C API: connection, prepared statement, transaction.
// Invariant: every value reaches SQLite as a bound parameter, never as text of a statement. A failing call
// throws StoreFailure (exhaustion, corruption, or our own bug: nothing a client can provoke); the request
// handler turns it into "deny + incident". Called by attest/store only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "attest/store/records.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace casemate::store {


class StoreFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// One connection: write-ahead log, full synchronisation, foreign keys on. Used under the owner's lock.
class Connection {
public:
    explicit Connection(const std::filesystem::path& file);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void execute(const char* sql);
    /// Rows that the last INSERT, UPDATE or DELETE touched.
    [[nodiscard]] int changes() const;
    [[nodiscard]] sqlite3* handle() const { return handle_; }
    [[noreturn]] void fail(const char* doing) const;

private:
    sqlite3* handle_ = nullptr;
};

/// A prepared statement. `bind` takes the parameters in order; `step` is true while there is a row.
class Statement {
public:
    Statement(Connection& connection, const char* sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view text);
    Statement& bind(const Blob& blob);
    Statement& bind_null();

    [[nodiscard]] bool step();
    /// Runs a statement that yields no row.
    void run();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] Blob blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;

private:
    void check(int status, const char* doing) const;

    Connection& connection_;
    sqlite3_stmt* statement_ = nullptr;
    int next_parameter_ = 1;
};

/// BEGIN IMMEDIATE ... COMMIT; rolled back unless commit() was reached.
class Transaction {
public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Connection& connection_;
    bool open_ = true;
};

} // namespace casemate::store
