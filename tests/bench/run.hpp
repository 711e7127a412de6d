// SPDX-License-Identifier: Apache-2.0
// One boot of one side with one workload, and what it gave.
#pragma once

#include "dlaunch/model/error.hpp"
#include "dlaunch/session/artefacts.hpp"
#include "tests/bench/exits.hpp"
#include "tests/bench/metrics.hpp"
#include "tests/bench/private_network.hpp"

#include <functional>

namespace casemate::bench {

struct RunPlan {
    session::Artefacts artefacts;
    Network network;
    Workload workload;
    std::string plan;                       // of the probe
    std::filesystem::path policy = {};      // Casemate only: with this workload's VM and the agent alone
    std::filesystem::path reference = {};   // likewise
    std::filesystem::path console_log = {}; // empty: none
    std::function<void()> on_idle = {};
    std::function<bool()> interrupted = {};
};

struct RunResult {
    std::map<std::string, double> values; // by metric
    std::vector<Timed> measurements;
    std::map<std::string, ExitsByKind> exits; // by metric; Casemate only
    ExitsByKind idle_exits;                   // a second; Casemate only
};

/// What follows "console=ttyS0 quiet panic=-1" on the driver VM's command line, and on the native kernel's.
[[nodiscard]] std::string workload_arguments(const RunPlan& plan, unsigned quiet);

[[nodiscard]] model::Outcome<RunResult> run_native(const RunPlan& plan);
[[nodiscard]] model::Outcome<RunResult> run_casemate(const RunPlan& plan);

/// Values of the probe and of the boot, which began at `kernel_entered`.
void collect(const RunLog& log, Workload workload, Clock::time_point kernel_entered, RunResult& result);

} // namespace casemate::bench
