// SPDX-License-Identifier: Apache-2.0
// How often a VM left guest mode during one measurement, by kind: the difference of two of the hypervisor's status
// reports around it, less what the VM does when idle for the rest of the time between them.
#pragma once

#include "tests/bench/run_log.hpp"

namespace casemate::bench {

using ExitsByKind = std::map<std::string, double>;

/// The hypervisor's counters of one VM at one of its own times.
struct ExitSample {
    Clock::time_point seen; // by the host, at most `report_lag` after they were read
    double uptime_seconds = 0;
    ExitsByKind exits;
};

inline constexpr std::chrono::milliseconds report_lag{2000};
/// A measurement is preceded and followed by at least this much quiet time: two reports of the agent, and the lag.
inline constexpr unsigned quiet_seconds = 7;

/// Of every VM in the report, by name.
[[nodiscard]] std::map<std::string, ExitSample> samples_of(const nlohmann::json& status, Clock::time_point seen);

[[nodiscard]] double total(const ExitsByKind& exits);

/// Exits a second of the idle measurement; empty when no two samples enclose it.
[[nodiscard]] ExitsByKind idle_rate(const std::vector<ExitSample>& samples, const Timed& idle);
/// Exits that belong to `measurement`; empty when no two samples enclose it.
[[nodiscard]] ExitsByKind exits_during(const std::vector<ExitSample>& samples, const Timed& measurement, const ExitsByKind& idle);

} // namespace casemate::bench
