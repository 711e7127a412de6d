// SPDX-License-Identifier: Apache-2.0
// What a stored decision costs, with and without its audit row: `casemate-verifier-service-test "[.measure]"` prints it, a run
// of the suite does not. Nothing is asserted about time.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

#include "tests/unit/store_backends.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

/// As a server in use: commits wait for the disk.
struct OnDurablePostgresql : OnPostgresql {
    static PostgresqlServer& durable() {
        static PostgresqlServer server{Disk::waited_for};
        return server;
    }
    OnDurablePostgresql() : OnPostgresql{durable()} {}
};

enum class Trail { without, with };

/// The writes of an affirmed appraisal of 20 kB, for one platform of this thread alone.
void decide(store::Store& store, const std::string& platform, int count, Trail trail) {
    store::AppraisalRecord record;
    record.platform_id = platform;
    record.verdict = "affirming";
    record.reasons = "[]";
    record.evidence = std::string(20'000, 'e');
    for (int i = 0; i < count; ++i) {
        const auto unit = store.begin();
        store.hold_platform(platform);
        store.add_result(record, store::ClockInfo{i, 1, 1}, 50);
        if (trail == Trail::with) store.audit({i, platform, "verdict", std::to_string(i), "affirming", std::string(100, 'd')});
        unit->commit();
    }
}

template <typename BackEnd>
double decisions_per_second(int writers, Trail trail) {
    constexpr int count = 1500;
    const BackEnd back_end;
    const auto one = back_end.open(), other = back_end.open(); // two replicas
    for (int i = 0; i < writers; ++i) (void)one->bind_platform(stored_platform("p" + std::to_string(i)));
    const auto started = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < writers; ++i)
        threads.emplace_back([&, i] { decide(i % 2 == 0 ? *one : *other, "p" + std::to_string(i), count / writers, trail); });
    for (std::thread& thread : threads) thread.join();
    return count / std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

} // namespace

TEMPLATE_TEST_CASE("measure: stored decisions a second, two replicas", "[.measure]", OnSqlite, OnDurablePostgresql) {
    (void)decisions_per_second<TestType>(1, Trail::with); // warm
    for (const int writers : {1, 2, 4, 8})
        std::printf("writers=%d without_trail=%.0f/s with_trail=%.0f/s\n", writers,
                    decisions_per_second<TestType>(writers, Trail::without), decisions_per_second<TestType>(writers, Trail::with));
}
