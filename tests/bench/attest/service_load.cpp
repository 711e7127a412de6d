// SPDX-License-Identifier: Apache-2.0
// See service_load.hpp.
#include "tests/bench/attest/service_load.hpp"

#include <algorithm>
#include <filesystem>

#include "tests/bench/attest/filled_store.hpp"
#include "tests/bench/attest/running_service.hpp"
#include "tests/bench/attest/verification_rate.hpp"

namespace casemate::bench::attest {
namespace {

constexpr std::size_t lease_platforms = 10'000;
constexpr std::size_t lease_connections = 1'000;
constexpr double lease_rate = 500; // 60 s leases are renewed after 24 s: 10,000 platforms need 417
constexpr double microseconds = 1e6;
constexpr std::size_t sizes[] = {1'000, 10'000, 100'000};
constexpr std::size_t curve_platforms = 100;

/// Processor time of the service for each round that `load` does, in us.
template <typename Load>
double cost(Running& running, fleet::LoadResult& result, const Load& load) {
    const double before = running.service.processor_seconds();
    result = load();
    check(result);
    return (running.service.processor_seconds() - before) * microseconds / static_cast<double>(result.total());
}

} // namespace

void measure_rounds(const ServiceUnderLoad& setup, std::size_t connections, Values& values) {
    const Place place{setup.scratch};
    Running running{setup, place};
    fleet::LoadFleet load{running.stage, connections, connections};
    fleet::LoadResult result;
    const double verify_before = verifications_a_second();
    const double own_before = own_processor_seconds();
    const double each = cost(running, result, [&] { return load.as_fast_as_answered(time_of(setup)); });
    const double own = (own_processor_seconds() - own_before) * microseconds / static_cast<double>(result.total());
    const std::string name = "rounds_" + std::to_string(connections);
    const auto [least, most] = std::ranges::minmax(result.rounds);
    values[name].push_back(result.rate());
    values[name + "_least"].push_back(static_cast<double>(least));
    values[name + "_most"].push_back(static_cast<double>(most));
    values[name + "_cost"].push_back(each);
    values[name + "_generator"].push_back(own);
    values[name + "_verify"].push_back((verify_before + verifications_a_second()) / 2);
}

void measure_leases(const ServiceUnderLoad& setup, Values& values) {
    const Place place{setup.scratch};
    Running running{setup, place};
    fleet::LoadFleet load{running.stage, lease_platforms, lease_connections};
    const std::chrono::milliseconds once_for_each{static_cast<long>(1000 * lease_platforms / lease_rate)};
    fleet::LoadResult result;
    const double each = cost(running, result, [&] { return load.at_rate(lease_rate, std::max(once_for_each, time_of(setup))); });
    values["leases_rate"].push_back(result.rate());
    values["leases_p50"].push_back(result.percentile(0.50));
    values["leases_p99"].push_back(result.percentile(0.99));
    values["leases_memory"].push_back(static_cast<double>(running.service.resident_kib("VmHWM:")) / 1024);
    values["leases_cost"].push_back(each);
}

void measure_curve(const ServiceUnderLoad& setup, Values& values) {
    for (const std::size_t size : sizes) {
        const Place place{setup.scratch};
        fill_store(place.path() / "state", size);
        Running running{setup, place};
        fleet::LoadFleet load{running.stage, curve_platforms, curve_platforms};
        fleet::LoadResult result;
        const double each = cost(running, result, [&] { return load.as_fast_as_answered(time_of(setup)); });
        values["curve_" + std::to_string(size)].push_back(each);
    }
    values["curve_growth"].push_back(values["curve_100000"].back() / values["curve_1000"].back());
}

} // namespace casemate::bench::attest
