// SPDX-License-Identifier: Apache-2.0
// What SqlStore needs of a database: sessions that run parametrised statements in transactions. Two back ends:
// sqlite_backend, postgresql_backend. Statements are written once, in the SQL that both speak: parameters are $1, $2, ... in the
// order of their first appearance, integers are 64 bits, text is UTF-8 without NUL, bytes are BLOB or BYTEA.
// Invariant: every value reaches the database as a bound parameter, never as text of a statement.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "attest/store/failure.hpp"
#include "attest/store/records.hpp"
#include "hypervisor/base/bytes.hpp"

namespace casemate::store {

/// A view: the value outlives the call.
using Parameter = std::variant<std::nullptr_t, std::int64_t, std::string_view, ByteView>;
using Parameters = std::initializer_list<Parameter>;

/// The rows of a query; `next` is true while there is one. Gone before the same statement runs again.
class Rows {
public:
    virtual ~Rows() = default;
    [[nodiscard]] virtual bool next() = 0;
    [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
    [[nodiscard]] virtual std::string text(int column) const = 0;
    [[nodiscard]] virtual Blob blob(int column) const = 0;
    [[nodiscard]] virtual bool is_null(int column) const = 0;
};

struct Query {
    const char* sql;
    Parameters parameters;
};

/// One connection, used by one thread at a time. `sql` is a literal: its address is the key of the prepared statement.
class Session {
public:
    virtual ~Session() = default;
    [[nodiscard]] virtual std::unique_ptr<Rows> query(const char* sql, Parameters parameters) = 0;
    /// Several at once, none of which needs another's answer; the rows in the same order.
    [[nodiscard]] virtual std::vector<std::unique_ptr<Rows>> query_all(std::initializer_list<Query> queries) = 0;
    /// How many rows the statement touched.
    virtual std::int64_t run(const char* sql, Parameters parameters) = 0;
    /// As run(), of no interest how many: may be sent together with what comes next. Within a transaction only; what goes wrong is
    /// thrown here, by a later call, or by commit().
    virtual void queue(const char* sql, Parameters parameters) = 0;

    virtual void begin() = 0;
    /// Returns when the transaction survives a crash of the database.
    virtual void commit() = 0;
    /// As commit(), but other transactions need not wait for the disk before they get this one's locks. Whatever they then
    /// commit is behind this one on the disk.
    virtual void commit_early() = 0;
    /// A transaction for one query() that changes something and nothing else; ends with commit_later() or rollback().
    virtual void begin_single() = 0;
    /// Ends a transaction; it is on the disk with, or before, whatever this thread commits next, or when Backend::settle()
    /// returns.
    virtual void commit_later() = 0;
    /// Never throws: a connection that cannot roll back is closed.
    virtual void rollback() noexcept = 0;
    /// The database's way to hold a row of a SELECT until the transaction ends; SQLite has one writer anyway.
    [[nodiscard]] virtual bool has_row_locks() const = 0;
};

/// Lends sessions. Waiting for one is bounded: StoreFailure after that.
class Backend {
public:
    using Lease = std::unique_ptr<Session, std::function<void(Session*)>>;
    virtual ~Backend() = default;
    /// For transactions.
    [[nodiscard]] virtual Lease borrow() = 0;
    /// StoreFailure when the database does not answer, or has another schema than this program's.
    virtual void check() = 0;
    /// For statements that only read what is committed, each by itself.
    [[nodiscard]] virtual Lease borrow_reader() = 0;
    /// Returns when what this thread ended with commit_later() is on the disk; StoreFailure when it will never be.
    virtual void settle() = 0;
};

/// To the end: only then a statement that changes rows has told whether it could.
inline void finish(Rows& rows) {
    while (rows.next()) {
    }
}

} // namespace casemate::store
