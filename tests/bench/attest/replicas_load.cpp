// SPDX-License-Identifier: Apache-2.0
// See service_load.hpp: two replicas on one PostgreSQL, whose commits wait for the disk.
#include <algorithm>
#include <array>
#include <thread>

#include "tests/bench/attest/running_service.hpp"
#include "tests/bench/attest/verification_rate.hpp"
#include "tests/unit/postgresql_server.hpp"

namespace casemate::bench::attest {
namespace {

constexpr std::size_t replicas = 2;
constexpr std::size_t connections_each = 100;

/// One replica with its half of the fleet.
struct Half {
    Half(const ServiceUnderLoad& setup, const char* name, const std::string& store)
        : place{setup.scratch, name}, running{setup, place, {"--store", store}}, load{running.stage, connections_each, connections_each} {}
    Place place;
    Running running;
    fleet::LoadFleet load;
    fleet::LoadResult result;
    std::exception_ptr failure;

    void play(std::chrono::milliseconds time) {
        try {
            result = load.as_fast_as_answered(time);
            check(result);
        } catch (...) {
            failure = std::current_exception();
        }
    }
};

} // namespace

void measure_replicas(const ServiceUnderLoad& setup, Values& values) {
    test::PostgresqlServer server{test::Disk::waited_for};
    const std::string store = "postgresql:" + server.conninfo(server.make_database());
    std::array<std::unique_ptr<Half>, replicas> halves{std::make_unique<Half>(setup, "one", store),
                                                       std::make_unique<Half>(setup, "other", store)};
    const auto service_seconds = [&] {
        return halves[0]->running.service.processor_seconds() + halves[1]->running.service.processor_seconds();
    };
    const double verify_before = verifications_a_second();
    const double service_before = service_seconds(), own_before = own_processor_seconds();
    std::vector<std::thread> threads;
    for (const auto& half : halves) threads.emplace_back([&] { half->play(time_of(setup)); });
    for (std::thread& thread : threads) thread.join();
    double rate = 0, total = 0;
    std::size_t least = SIZE_MAX;
    for (const auto& half : halves) {
        if (half->failure) std::rethrow_exception(half->failure);
        rate += half->result.rate();
        total += static_cast<double>(half->result.total());
        least = std::min(least, std::ranges::min(half->result.rounds));
    }
    values["rounds_postgresql"].push_back(rate);
    values["rounds_postgresql_least"].push_back(static_cast<double>(least));
    values["rounds_postgresql_cost"].push_back((service_seconds() - service_before) * 1e6 / total);
    values["rounds_postgresql_generator"].push_back((own_processor_seconds() - own_before) * 1e6 / total);
    values["rounds_postgresql_verify"].push_back((verify_before + verifications_a_second()) / 2);
}

} // namespace casemate::bench::attest
