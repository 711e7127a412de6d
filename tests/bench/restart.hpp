// SPDX-License-Identifier: Apache-2.0
// How long a driver VM that ended was away, by the host's clock at the lines of the console.
#pragma once

#include "dlaunch/model/error.hpp"
#include "tests/bench/run_log.hpp"

namespace casemate::bench {

struct RestartTimes {
    double away_ms = 0;       // from the VM's end to its start
    double first_byte_ms = 0; // from its end until the first bytes have come back to it through its device
    std::optional<double> without_link_ms; // the same less the time that its link took to come up
};

/// `second_life` is what the VM said after its restart, with one measurement that needs an answer from the device. An error when it did
/// not come back in the way, "cold" or "warm", that its policy says.
[[nodiscard]] model::Outcome<RestartTimes> restart_times(const session::Observation& seen, const std::string& vm,
                                                         const std::string& way, const RunLog& second_life);

} // namespace casemate::bench
