// SPDX-License-Identifier: Apache-2.0
// RAII over the SQLite C API: connection, prepared statement, transaction.
// Invariant: every value reaches SQLite as a bound parameter, never as text of a statement. A failing call
// throws StoreFailure (exhaustion, corruption, or our own bug: nothing a client can provoke); the request
// handler turns it into "deny + incident". Called by attest/store only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "attest/store/failure.hpp"
#include "attest/store/records.hpp"
#include "hypervisor/base/bytes.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace casemate::store {

/// One connection: write-ahead log, full synchronisation, foreign keys on. Used under the owner's lock.
class Connection {
public:
    enum class Use { write, read };
    /// Use::read: cannot change anything, and sees what is committed.
    explicit Connection(const std::filesystem::path& file, Use use = Use::write);
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
    Statement& bind(ByteView blob);
    Statement& bind_null();
    /// To be bound and stepped again.
    void restart();
    /// True when the parameters are called $1, $2, ... in the order in which bind() gives them.
    [[nodiscard]] bool parameters_in_order() const;

    [[nodiscard]] bool step();
    /// Runs a statement that yields no row.
    void run();
    /// The same without parameters, again; false when it fails.
    [[nodiscard]] bool try_run() noexcept;

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
