// SPDX-License-Identifier: Apache-2.0
// What each measurement starts anew: a directory, the service in it, and the stage for a fleet against it. And what a load cost,
// in processor time, on both sides.
#pragma once

#include <filesystem>

#include <sys/resource.h>

#include "tests/bench/attest/service_load.hpp"
#include "tests/fleet/load.hpp"
#include "tests/fleet/service_process.hpp"

namespace casemate::bench::attest {

/// A directory with a store for one measurement.
class Place {
public:
    explicit Place(const std::filesystem::path& scratch, const char* name = "service") : path_{scratch / name} {
        std::filesystem::create_directory(path_);
    }
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
    Running(const ServiceUnderLoad& setup, const Place& place, const std::vector<std::string>& more = {})
        : service{setup.verifierd, place.path(), options(setup.materials, more)}, target{service.port(), setup.materials.file("tls.pem")},
          stage{io, target, setup.materials.authority(), setup.materials.model(), setup.materials.grant_key(), setup.restarts, {}} {}

    fleet::ServiceProcess service;
    boost::asio::io_context io{1};
    fleet::Target target;
    fleet::Stage stage;

private:
    static std::vector<std::string> options(const fleet::Materials& materials, const std::vector<std::string>& more) {
        std::vector<std::string> all = materials.verifier_options();
        all.insert(all.end(), {"--quiet", "--max-connections", "20000", "--request-seconds", "300"});
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
};

inline std::chrono::milliseconds time_of(const ServiceUnderLoad& setup) {
    return std::chrono::milliseconds{static_cast<long>(setup.seconds * 1000)};
}

inline void check(const fleet::LoadResult& result) {
    if (result.failed != 0 || result.total() == 0)
        throw std::runtime_error(std::to_string(result.failed) + " of " + std::to_string(result.total()) + " renewals were refused");
}

/// Of this program, seconds.
inline double own_processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace casemate::bench::attest
