// SPDX-License-Identifier: Apache-2.0
// See sqlite.hpp.
#include "attest/store/sqlite.hpp"

#include <sqlite3.h>
#include <unistd.h>

namespace casemate::store {

namespace {

/// While another process writes: SQLite has no queue, and the pauses of its own timeout, up to 100 ms, seldom meet the moment
/// between two transactions of a busy writer.
int try_again(void*, int tries) {
    constexpr int patience = 20'000; // times half a millisecond
    ::usleep(500);
    return tries < patience ? 1 : 0;
}

} // namespace

Connection::Connection(const std::filesystem::path& file, Use use) {
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
        const std::string reason = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
        sqlite3_close(handle_);
        throw StoreFailure("cannot open the store " + file.string() + ": " + reason);
    }
    sqlite3_busy_handler(handle_, &try_again, nullptr);
    try {
        execute("PRAGMA journal_mode=WAL");
        execute("PRAGMA synchronous=FULL");
        execute("PRAGMA foreign_keys=ON");
        execute("PRAGMA trusted_schema=OFF");
        execute("PRAGMA temp_store=MEMORY"); // what a savepoint would put back: a turn's few pages, not a file
        execute("PRAGMA wal_autocheckpoint=4000"); // pages, 16 MB: those that change often are copied less often
        if (use == Use::read) execute("PRAGMA query_only=ON");
    } catch (...) {
        sqlite3_close(handle_);
        throw;
    }
}

Connection::~Connection() { sqlite3_close(handle_); }

void Connection::execute(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

int Connection::changes() const { return sqlite3_changes(handle_); }

void Connection::fail(const char* doing) const {
    throw StoreFailure(std::string("store: ") + doing + ": " + sqlite3_errmsg(handle_));
}

Statement::Statement(Connection& connection, const char* sql) : connection_{connection} {
    check(sqlite3_prepare_v2(connection.handle(), sql, -1, &statement_, nullptr), "prepare");
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int status, const char* doing) const {
    if (status != SQLITE_OK) connection_.fail(doing);
}

Statement& Statement::bind(std::int64_t value) {
    check(sqlite3_bind_int64(statement_, next_parameter_++, value), "bind");
    return *this;
}

Statement& Statement::bind(std::string_view text) {
    check(sqlite3_bind_text64(statement_, next_parameter_++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
          "bind");
    return *this;
}

Statement& Statement::bind(ByteView blob) {
    // An empty view may have no address, and SQLite would bind NULL for that: give it one.
    const void* bytes = blob.empty() ? "" : static_cast<const void*>(blob.data());
    check(sqlite3_bind_blob64(statement_, next_parameter_++, bytes, blob.size(), SQLITE_TRANSIENT), "bind");
    return *this;
}

Statement& Statement::bind_null() {
    check(sqlite3_bind_null(statement_, next_parameter_++), "bind");
    return *this;
}

void Statement::restart() {
    sqlite3_reset(statement_); // repeats the last step's error, which was reported
    sqlite3_clear_bindings(statement_);
    next_parameter_ = 1;
}

bool Statement::parameters_in_order() const {
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement_); ++i) {
        const char* name = sqlite3_bind_parameter_name(statement_, i);
        if (name == nullptr || name != "$" + std::to_string(i)) return false;
    }
    return true;
}

bool Statement::step() {
    const int status = sqlite3_step(statement_);
    if (status != SQLITE_ROW && status != SQLITE_DONE) connection_.fail("step");
    return status == SQLITE_ROW;
}

void Statement::run() {
    if (step()) throw StoreFailure("store: a statement gave a row that nobody expected");
}

bool Statement::try_run() noexcept {
    sqlite3_reset(statement_);
    (void)sqlite3_step(statement_);
    return sqlite3_reset(statement_) == SQLITE_OK; // repeats the step's error
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    // SAFETY: SQLite's text is bytes; char and unsigned char alias.
    return bytes == nullptr ? std::string{} : std::string(reinterpret_cast<const char*>(bytes), size);
}

Blob Statement::blob(int column) const {
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return bytes == nullptr ? Blob{} : Blob(bytes, bytes + size);
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Transaction::Transaction(Connection& connection) : connection_{connection} {
    connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (open_) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    connection_.execute("COMMIT");
    open_ = false;
}

} // namespace casemate::store
