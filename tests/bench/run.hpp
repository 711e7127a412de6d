// SPDX-License-Identifier: Apache-2.0
// One boot of one side with one workload, and what it gave.
#pragma once

#include "dlaunch/model/error.hpp"
#include "dlaunch/session/artefacts.hpp"
#include "tests/bench/exits.hpp"
#include "tests/bench/workload_policy.hpp"

#include <functional>

namespace casemate::bench {

struct RunPlan {
    session::Artefacts artefacts;
    Task task;
    std::filesystem::path policy = {};      // Casemate only: with this workload's VMs and the agent alone
    std::filesystem::path reference = {};   // likewise
    std::filesystem::path console_log = {}; // empty: none
    std::function<void()> on_idle = {};
    std::function<bool()> interrupted = {};
};

/// How often one VM left guest mode.
struct VmExits {
    ExitsByKind idle;                          // a second
    std::map<std::string, ExitsByKind> during; // by the measurement's metric
};

struct RunResult {
    std::map<std::string, double> values; // by the metric's key
    std::vector<Timed> measurements;
    std::map<std::string, VmExits> exits; // by VM; Casemate only
};

/// Seconds of quiet before and after each measurement of a Casemate run.
[[nodiscard]] unsigned quiet_of(const Workload& workload);

[[nodiscard]] model::Outcome<RunResult> run_native(const RunPlan& plan);
[[nodiscard]] model::Outcome<RunResult> run_casemate(const RunPlan& plan);

/// Values of the probe and of the boot, which began at `kernel_entered`.
void collect(const RunLog& log, Clock::time_point kernel_entered, RunResult& result);

} // namespace casemate::bench
