// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store_backends.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::test;

namespace {

store::SigningKey row(std::string id, std::string key) { return {std::move(id), std::move(key), "owner", "Alice", 1, 2, 3, "olga"}; }

} // namespace

TEMPLATE_TEST_CASE("signing keys are kept, revoked with all their certificates, and change the number that replicas watch", "[store]", OnSqlite,
                   OnPostgresql) {
    const TestType database;
    const auto store = database.open(), replica = database.open();
    const std::int64_t before = replica->reference_generation();
    CHECK(store->add_signing_key(row("c1", "k1")));
    CHECK(store->add_signing_key(row("c2", "k1")));
    CHECK(store->add_signing_key(row("c3", "k2")));
    CHECK_FALSE(store->add_signing_key(row("c1", "k3")));
    CHECK(replica->reference_generation() == before + 3);
    CHECK(replica->revoke_signing_key("k1", 77));
    CHECK_FALSE(store->revoke_signing_key("k1", 78));
    CHECK_FALSE(store->revoke_signing_key("k9", 78));
    CHECK(store->reference_generation() == before + 4);
    const auto keys = store->signing_keys();
    REQUIRE(keys.size() == 3);
    CHECK(keys[0].id == "c1");
    CHECK(keys[0].purpose == "owner");
    CHECK(keys[0].name == "Alice");
    CHECK(keys[0].added_by == "olga");
    CHECK(keys[0].not_after == 2);
    CHECK(keys[0].revoked_at == 77);
    CHECK(keys[1].revoked_at == 77);
    CHECK(keys[2].revoked_at == 0);
}
