// SPDX-License-Identifier: Apache-2.0
// The two back ends as types, for tests that are the same on both: TEMPLATE_TEST_CASE(.., OnSqlite, OnPostgresql).
// Each object is a fresh, empty database; open() may be called several times, as replicas do.
#pragma once

#include "attest/store/sqlite.hpp"
#include "attest/store/store.hpp"
#include "tests/unit/postgresql_server.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace casemate::test {

struct OnSqlite {
    ScratchDirectory directory;

    [[nodiscard]] std::string where() const { return "sqlite:" + (directory / "db").string(); }
    [[nodiscard]] std::unique_ptr<store::Store> open() const { return store::open_store(where(), 1); }
    /// SQL behind the store's back; the schema exists.
    void execute(const std::string& sql) const { store::Connection{directory / "db"}.execute(sql.c_str()); }
};

struct OnPostgresql {
    explicit OnPostgresql(PostgresqlServer& on = PostgresqlServer::shared()) : server{on} {}
    PostgresqlServer& server;
    std::string database = server.make_database();

    [[nodiscard]] std::string where() const { return "postgresql:" + server.conninfo(database); }
    [[nodiscard]] std::unique_ptr<store::Store> open() const { return store::open_store(where(), 4); }
    void execute(const std::string& sql) const { server.execute(database, sql); }
};

inline store::Platform stored_platform(std::string id, std::uint8_t ak = 1) {
    store::Platform result;
    result.identity = {std::move(id), {0xEE}, {ak}, {}, "sha256"};
    result.token_hash = {9};
    result.token_expires_at = 1000;
    return result;
}

/// A store of that back end with platforms in it.
template <typename BackEnd>
struct OpenedStore {
    BackEnd back_end;
    std::unique_ptr<store::Store> store = back_end.open();

    explicit OpenedStore(std::initializer_list<const char*> platforms = {"p"}) {
        for (const char* id : platforms) REQUIRE(store->bind_platform(stored_platform(id)) == store::BindOutcome::bound);
    }
    void reopen() {
        store.reset();
        store = back_end.open();
    }
};

inline store::Grant stored_grant(std::string id, std::uint8_t nonce) {
    store::Grant result;
    result.id = std::move(id);
    result.platform_id = "p";
    result.gate_nonce = {nonce};
    result.device = "0000:00:03.0";
    result.cose = {1, 2, 3};
    return result;
}

} // namespace casemate::test
