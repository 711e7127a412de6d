// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/expected.hpp"

namespace casemate::bench {

std::optional<double> expected_ratio(const Metric& metric, double native_value, const Timed& measured, double exits) {
    if (native_value <= 0 || measured.value <= 0 || measured.seconds <= 0) return std::nullopt;
    const double native_seconds = seconds_a_unit(metric, native_value);
    const double units = measured.seconds / seconds_a_unit(metric, measured.value);
    const double seconds = native_seconds + exits / units * cycles_an_exit / clock_hertz;
    const bool rate = std::string{metric.unit}.ends_with("/s");
    return rate ? native_seconds / seconds : seconds / native_seconds;
}

} // namespace casemate::bench
