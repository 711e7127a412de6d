// SPDX-License-Identifier: Apache-2.0
// Status reports, operator's orders and sealed secrets in the store, on both back ends: the latest report counts, numbers of orders rise for
// ever, a result is told once, and all of it is each platform's own.
#include <catch2/catch.hpp>

#include "tests/unit/store_backends.hpp"

using namespace casemate;
using namespace casemate::store;
using namespace casemate::test;

namespace {

template <typename BackEnd>
struct Opened : OpenedStore<BackEnd> {
    using OpenedStore<BackEnd>::store;
    Opened() : OpenedStore<BackEnd>{{"p", "q"}} {}
    std::optional<std::int64_t> order(const char* platform, const char* vm, std::int64_t most = 16) {
        const auto unit = store->begin();
        (void)store->hold_platform(platform);
        const auto number = store->add_order({platform, 0, vm, "stop", 100, "oscar"}, most);
        unit->commit();
        return number;
    }
};

std::string numbers(const std::vector<OperatorOrder>& orders) {
    std::string all;
    for (const OperatorOrder& order : orders) all += std::to_string(order.number) + " ";
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("of each platform the latest status report is kept", "[store][mail]", OnSqlite, OnPostgresql) {
    Opened<TestType> opened;
    CHECK_FALSE(opened.store->status_report("p"));
    opened.store->put_report({"p", 10, R"({"a":1})"}, {});
    opened.store->put_report({"q", 11, R"({"b":1})"}, {});
    opened.store->put_report({"p", 12, R"({"a":2})"}, {});
    opened.reopen();
    const auto kept = opened.store->status_report("p");
    REQUIRE(kept);
    CHECK(kept->platform_id == "p");
    CHECK(kept->at == 12);
    CHECK(kept->report == R"({"a":2})");
    CHECK(opened.store->status_report("q")->report == R"({"b":1})");
    CHECK_THROWS_AS(opened.store->put_report({"nobody", 1, "{}"}, {}), StoreFailure);
}

TEMPLATE_TEST_CASE("an order waits until its result is told, once, and its number is never given again", "[store][mail]", OnSqlite, OnPostgresql) {
    Opened<TestType> opened;
    CHECK(opened.order("p", "disk0") == 1);
    CHECK(opened.order("p", "net0") == 2);
    CHECK(opened.order("q", "net0") == 1); // of each platform
    const OperatorOrder first = opened.store->orders_of("p").at(0);
    CHECK(first.vm == "disk0");
    CHECK(first.order == "stop");
    CHECK(first.given_at == 100);
    CHECK(first.given_by == "oscar");
    CHECK(first.waits());
    opened.store->put_report({"p", 200, "{}"}, {{1, 4}, {77, 0}});
    CHECK(numbers(opened.store->untold_orders("p")) == "2 ");
    opened.store->put_report({"p", 201, "{}"}, {{1, 0}}); // the first word counts
    opened.reopen();
    const auto told = opened.store->orders_of("p");
    CHECK(numbers(told) == "1 2 ");
    CHECK(told[0].error == 4);
    CHECK(told[0].told_at == 200);
    CHECK_FALSE(told[0].waits());
    CHECK(numbers(opened.store->untold_orders("q")) == "1 ");
    CHECK(opened.order("p", "net0") == 3);
}

TEMPLATE_TEST_CASE("only so many orders wait, and withdrawn ones do not", "[store][mail]", OnSqlite, OnPostgresql) {
    Opened<TestType> opened;
    CHECK(opened.order("p", "net0", 2) == 1);
    CHECK(opened.order("p", "net0", 2) == 2);
    CHECK_FALSE(opened.order("p", "net0", 2));
    CHECK(opened.order("q", "net0", 2) == 1);
    CHECK(opened.store->withdraw_orders("p", 300) == 2);
    CHECK(opened.store->withdraw_orders("p", 301) == 0);
    CHECK(opened.order("p", "net0", 2) == 3);
    CHECK(opened.store->orders_of("p").at(0).withdrawn_at == 300);
    CHECK(opened.store->untold_orders("p").size() == 3);
    opened.store->put_report({"p", 400, "{}"}, {{1, 0}}); // the agent had it already
    CHECK(opened.store->orders_of("p").at(0).error == 0);
    CHECK(opened.store->untold_orders("q").at(0).waits());
}

TEMPLATE_TEST_CASE("old orders are forgotten, but none that waits, and not how far the numbers came", "[store][mail]", OnSqlite, OnPostgresql) {
    Opened<TestType> opened;
    CHECK(opened.order("p", "first") == 1); // waits all along
    for (std::int64_t number = 2; number <= max_kept_orders + 10; ++number) {
        CHECK(opened.order("p", "net0") == number);
        opened.store->put_report({"p", number, "{}"}, {{number, 0}});
    }
    const auto kept = opened.store->orders_of("p");
    CHECK(kept.size() == max_kept_orders + 1);
    CHECK(kept.front().vm == "first");
    opened.store->put_report({"p", 1, "{}"}, {{1, 0}});
    opened.reopen();
    CHECK(opened.order("p", "net0") == max_kept_orders + 11);
    CHECK(opened.store->orders_of("p").size() == max_kept_orders);
}

TEMPLATE_TEST_CASE("a platform's sealed secrets are replaced whole", "[store][mail]", OnSqlite, OnPostgresql) {
    Opened<TestType> opened;
    CHECK_FALSE(opened.store->secrets_of("p"));
    opened.store->put_secrets({"p", R"({"secrets":[1]})", 10, "olga"});
    opened.store->put_secrets({"p", R"({"secrets":[2]})", 11, "olaf"});
    opened.reopen();
    const auto kept = opened.store->secrets_of("p");
    REQUIRE(kept);
    CHECK(kept->document == R"({"secrets":[2]})");
    CHECK(kept->stored_at == 11);
    CHECK(kept->stored_by == "olaf");
    CHECK_FALSE(opened.store->secrets_of("q"));
}
