// SPDX-License-Identifier: Apache-2.0
// The Casemate side: a whole session with the workload's driver VM and the agent.
#include "tests/bench/run.hpp"

#include "dlaunch/session/session.hpp"

namespace casemate::bench {

using model::fail;
using session::Observation;
using session::Session;

namespace {

constexpr std::chrono::seconds run_limit{400};

double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

void collect_launch(const Observation& seen, RunResult& result) {
    if (const auto* first = seen.find("vm_started")) {
        result.values["launch_to_first_vm"] = seconds_between(seen.launched_when, first->when);
    }
    if (const auto* grant = seen.find("grant_accepted")) {
        result.values["launch_to_first_grant"] = seconds_between(seen.launched_when, grant->when);
    }
}

void collect_exits(const std::vector<ExitSample>& samples, RunResult& result) {
    for (const Timed& measurement : result.measurements)
        if (measurement.metric == "idle") result.idle_exits = idle_rate(samples, measurement);
    for (const Timed& measurement : result.measurements)
        if (measurement.metric != "idle") result.exits[measurement.metric] = exits_during(samples, measurement, result.idle_exits);
}

/// Status reports as they come, once each.
class Sampler {
public:
    Sampler(const Observation& seen, std::string vm) : seen_{seen}, vm_{std::move(vm)} {}
    void look() {
        if (seen_.status_when == last_) return;
        last_ = seen_.status_when;
        if (auto sample = sample_of(seen_.status, vm_, last_)) samples_.push_back(std::move(*sample));
    }
    [[nodiscard]] const std::vector<ExitSample>& samples() const { return samples_; }

private:
    const Observation& seen_;
    std::string vm_;
    Clock::time_point last_{};
    std::vector<ExitSample> samples_;
};

} // namespace

model::Outcome<RunResult> run_casemate(const RunPlan& plan) {
    session::SessionConfig config;
    config.artefacts = plan.artefacts;
    config.tap = plan.network.tap;
    config.replaced = {{"policy.cbor", plan.policy}};
    config.reference = plan.reference;
    config.console_log = plan.console_log;
    auto session = TRY(Session::start(std::move(config)));

    const std::string vm = vm_of(plan.workload);
    RunLog log;
    Sampler sampler{session->seen(), vm};
    session->on_console([&](const std::string& line) {
        if (const auto own = session::parse_vm_line(line); own && own->vm == vm) log.take(own->text, Clock::now());
    });
    session->on_idle([&] {
        sampler.look();
        plan.on_idle();
    });
    const bool done =
        session->run_until([&](const Observation&) { return plan.interrupted() || log.finished(); }, run_limit);
    if (plan.interrupted()) return fail("interrupted");
    if (!done) {
        const std::string& ending = session->seen().ending;
        return fail(vm + " did not finish" + (ending.empty() ? " within 400 s" : ": " + ending));
    }
    if (!log.failure().empty()) return fail(log.failure());
    const auto* started = session->seen().find("vm_started", {{"vm", vm}});
    if (started == nullptr) return fail("the hypervisor did not say when it started " + vm);
    RunResult result;
    collect(log, plan.workload, started->when, result);
    collect_launch(session->seen(), result);
    collect_exits(sampler.samples(), result);
    return result;
}

std::string workload_arguments(const RunPlan& plan, unsigned quiet) {
    const std::string common = " cm.quiet=" + std::to_string(quiet);
    if (plan.workload == Workload::disk) return common + " cm.disk_mb=0 cm.disk_bench=" + plan.plan;
    return common + " cm.net_mb=0 cm.net_bench=" + plan.plan + " cm.net_peer=" + plan.network.peer_address +
           " cm.net_port=" + std::to_string(plan.network.port) +
           (plan.network.tap.empty() ? "" : " cm.net_address=10.0.2.15/24");
}

void collect(const RunLog& log, Workload workload, Clock::time_point kernel_entered, RunResult& result) {
    result.measurements = log.measurements();
    for (const Timed& measurement : result.measurements)
        if (measurement.metric != "idle") result.values[measurement.metric] = measurement.value;
    if (workload != Workload::net || !log.booted()) return;
    result.values["boot"] = seconds_between(kernel_entered, *log.booted());
    result.values["boot_uptime"] = log.boot_uptime();
}

} // namespace casemate::bench
