// SPDX-License-Identifier: Apache-2.0
// See service_load.hpp.
#include "tests/bench/attest/service_load.hpp"

#include <algorithm>
#include <filesystem>

#include "tests/bench/attest/filled_store.hpp"
#include "tests/fleet/load.hpp"
#include "tests/fleet/service_process.hpp"

namespace casemate::bench::attest {
namespace {

constexpr std::size_t lease_platforms = 10'000;
constexpr std::size_t lease_connections = 1'000;
constexpr double lease_rate = 500; // 60 s leases are renewed after 24 s: 10,000 platforms need 417
constexpr double microseconds = 1e6;
constexpr std::size_t sizes[] = {1'000, 10'000, 100'000};
constexpr std::size_t curve_platforms = 100;

/// A directory with a store for one measurement.
class Place {
public:
    explicit Place(const std::filesystem::path& scratch) : path_{scratch / "service"} { std::filesystem::create_directory(path_); }
    ~Place() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// The service and what a fleet needs to play against it.
class Running {
public:
    Running(const ServiceUnderLoad& setup, const Place& place)
        : service{setup.verifierd, place.path(), options(setup.materials)}, target{service.port(), setup.materials.file("tls.pem")},
          stage{io, target, setup.materials.authority(), setup.materials.model(), setup.materials.grant_key(), setup.restarts, {}} {}

    fleet::ServiceProcess service;
    boost::asio::io_context io{1};
    fleet::Target target;
    fleet::Stage stage;

private:
    static std::vector<std::string> options(const fleet::Materials& materials) {
        std::vector<std::string> all = materials.verifier_options();
        all.insert(all.end(), {"--quiet", "--max-connections", "20000", "--request-seconds", "300"});
        return all;
    }
};

std::chrono::milliseconds time_of(const ServiceUnderLoad& setup) {
    return std::chrono::milliseconds{static_cast<long>(setup.seconds * 1000)};
}

void check(const fleet::LoadResult& result) {
    if (result.failed != 0 || result.total() == 0)
        throw std::runtime_error(std::to_string(result.failed) + " of " + std::to_string(result.total()) + " renewals were refused");
}

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
    const double each = cost(running, result, [&] { return load.as_fast_as_answered(time_of(setup)); });
    const std::string name = "rounds_" + std::to_string(connections);
    const auto [least, most] = std::ranges::minmax(result.rounds);
    values[name].push_back(result.rate());
    values[name + "_least"].push_back(static_cast<double>(least));
    values[name + "_most"].push_back(static_cast<double>(most));
    values[name + "_cost"].push_back(each);
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
