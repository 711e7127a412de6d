// SPDX-License-Identifier: Apache-2.0
// See sqlite_backend.hpp.
#include "attest/store/sqlite_backend.hpp"

#include <chrono>

#include <fcntl.h>
#include <unistd.h>

#include "attest/store/schema.hpp"
#include "attest/store/sql_store.hpp"
#include "attest/store/timed_backend.hpp"

namespace casemate::store {
namespace {

constexpr std::chrono::seconds patience{10};

/// Creates the file readable by the owner only, before SQLite would create it with the umask's mode;
/// SQLite gives its -wal and -shm files the mode of the database.
const std::filesystem::path& private_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_CREAT | O_CLOEXEC | O_RDWR, 0600);
    if (descriptor < 0) throw StoreFailure("cannot create the store " + file.string());
    ::close(descriptor);
    return file;
}

void bind(Statement& statement, const Parameter& parameter) {
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) statement.bind(*number);
    else if (const auto* text = std::get_if<std::string_view>(&parameter)) statement.bind(*text);
    else if (const auto* bytes = std::get_if<ByteView>(&parameter)) statement.bind(*bytes);
    else statement.bind_null();
}

/// The rows of a cached statement: reset at the end, so that it holds no lock.
class SqliteRows final : public Rows {
public:
    explicit SqliteRows(Statement& statement) : statement_{statement} {}
    ~SqliteRows() override { statement_.restart(); }
    SqliteRows(const SqliteRows&) = delete;
    SqliteRows& operator=(const SqliteRows&) = delete;

    [[nodiscard]] bool next() override { return statement_.step(); }
    [[nodiscard]] std::int64_t integer(int column) const override { return statement_.integer(column); }
    [[nodiscard]] std::string text(int column) const override { return statement_.text(column); }
    [[nodiscard]] Blob blob(int column) const override { return statement_.blob(column); }
    [[nodiscard]] bool is_null(int column) const override { return statement_.is_null(column); }

private:
    Statement& statement_;
};

} // namespace

Statement& SqliteSession::prepared(const char* sql, Parameters parameters) {
    const auto [entry, fresh] = statements_.try_emplace(sql, connection_, sql);
    if (fresh && !entry->second.parameters_in_order()) throw StoreFailure("store: parameters out of order");
    entry->second.restart(); // a failed use may have left it half bound
    for (const Parameter& parameter : parameters) bind(entry->second, parameter);
    return entry->second;
}

std::unique_ptr<Rows> SqliteSession::query(const char* sql, Parameters parameters) {
    return std::make_unique<SqliteRows>(prepared(sql, parameters));
}

std::vector<std::unique_ptr<Rows>> SqliteSession::query_all(std::initializer_list<Query> queries) {
    std::vector<std::unique_ptr<Rows>> all;
    for (const Query& each : queries) all.push_back(query(each.sql, each.parameters));
    return all;
}

std::int64_t SqliteSession::run(const char* sql, Parameters parameters) {
    SqliteRows rows{prepared(sql, parameters)};
    if (rows.next()) throw StoreFailure("store: a statement gave a row that nobody expected");
    return connection_.changes();
}

SqliteBackend::SqliteBackend(const std::filesystem::path& file) : connection_{private_file(file)} {
    migrate(connection_);
    reader_ = std::make_unique<Connection>(file, Connection::Use::read);
    reader_session_ = std::make_unique<SqliteSession>(*reader_, nullptr);
}

Backend::Lease SqliteBackend::borrow() {
    return {&session_, [](Session*) {}};
}

Backend::Lease SqliteBackend::borrow_reader() {
    if (!reading_.try_lock_for(patience)) throw StoreFailure("store: the database was busy for 10 s");
    return {reader_session_.get(), [this](Session*) { reading_.unlock(); }};
}

/// On the reader's connection: the other one belongs to whoever has the turn.
void SqliteBackend::check() {
    const Lease lease = borrow_reader();
    if (!is_current(*reader_)) throw OtherSchema();
}

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file, Observer observer) {
    return std::make_unique<SqlStore>(timed(std::make_unique<SqliteBackend>(file), std::move(observer)));
}

} // namespace casemate::store
