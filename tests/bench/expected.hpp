// SPDX-License-Identifier: Apache-2.0
// What a ratio would be if an exit cost what it costs a processor instead of the emulator: computed from the counted exits, never
// measured.
#pragma once

#include "tests/bench/metrics.hpp"
#include "tests/bench/run_log.hpp"

namespace casemate::bench {

inline constexpr double cycles_an_exit = 1500; // there and back, with what the hypervisor does in between
inline constexpr double clock_hertz = 3e9;

/// Casemate / native of `metric`: a unit of work takes its native time and that of its exits. `exits` are all those of `measured`;
/// nothing of a measurement in which nothing was done.
[[nodiscard]] std::optional<double> expected_ratio(const Metric& metric, double native_value, const Timed& measured, double exits);

} // namespace casemate::bench
