// SPDX-License-Identifier: Apache-2.0
// The policy of a workload: the build's, with the workload's VMs alone, each told by its command line what to do.
#pragma once

#include "dlaunch/model/error.hpp"
#include "tests/bench/metrics.hpp"
#include "tests/bench/private_network.hpp"

namespace casemate::bench {

/// What a workload's run needs to know of its surroundings.
struct Task {
    const Workload* workload;
    std::string plan; // of the probe
    Network network;
};

/// What the VM that measures has on its command line, after a space; `quiet` seconds before and after each measurement. Also for the native kernel.
[[nodiscard]] std::string measuring_arguments(const Task& task, unsigned quiet);
/// `standard` is the source of the build's policy.
[[nodiscard]] model::Outcome<std::string> policy_source(const std::string& standard, const Task& task, unsigned quiet);

} // namespace casemate::bench
