// SPDX-License-Identifier: Apache-2.0
// How busy the emulated machine kept the host during a measurement, by the processor time of its vCPU threads.
#pragma once

#include "tests/bench/run_log.hpp"

namespace casemate::bench {

struct LoadSample {
    Clock::time_point seen;
    double seconds = 0; // of processor time, all vCPU threads together
};

/// Percent of one host processor between the first and the last sample within the measurement; nothing of fewer than two.
[[nodiscard]] std::optional<double> load_during(const std::vector<LoadSample>& samples, const Timed& measurement);

} // namespace casemate::bench
