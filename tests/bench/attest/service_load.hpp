// SPDX-License-Identifier: Apache-2.0
// The running service under load: casemate-verifierd with a store of its own, started anew for each measurement, and a fleet
// beside it on the same processors.
#pragma once

#include "tests/bench/attest/metrics.hpp"
#include "tests/fleet/materials.hpp"

namespace casemate::bench::attest {

struct ServiceUnderLoad {
    std::filesystem::path verifierd;
    std::filesystem::path scratch; // stores come here and go
    fleet::Materials& materials;
    std::uint32_t restarts = 0; // of each driver VM: length of the log
    double seconds = 5;         // of each measurement
};

/// rounds_<connections>*: as fast as answered, a platform a connection.
void measure_rounds(const ServiceUnderLoad& setup, std::size_t connections, Values& values);
/// rounds_postgresql*: the same, 200 connections over two replicas on one PostgreSQL.
void measure_replicas(const ServiceUnderLoad& setup, Values& values);
/// leases_*: 10,000 platforms whose renewals fall due at 500 a second, over 1,000 connections.
void measure_leases(const ServiceUnderLoad& setup, Values& values);
/// curve_*: processor time of the service for a renewal while so many other platforms are in the store.
void measure_curve(const ServiceUnderLoad& setup, Values& values);

} // namespace casemate::bench::attest
