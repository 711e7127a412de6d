// SPDX-License-Identifier: Apache-2.0
// The Casemate side: a whole session with the workload's VMs and the agent.
#include "tests/bench/run.hpp"

#include "dlaunch/session/processor_time.hpp"
#include "dlaunch/session/session.hpp"
#include "tests/bench/restart.hpp"
#include "tests/bench/run_notes.hpp"

#include <numeric>

namespace casemate::bench {

using model::fail;
using session::Observation;
using session::Session;

namespace {

constexpr std::chrono::seconds run_limit{600};

double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

double processor_seconds(Session& session) {
    const auto& threads = session.platform().processor_threads();
    return std::accumulate(threads.begin(), threads.end(), 0.0, [&](double sum, int thread) {
        return sum + session::processor_seconds(session.platform().qemu_pid(), thread).value_or(0);
    });
}

void collect_launch(const Observation& seen, RunResult& result) {
    if (const auto* first = seen.find("vm_started")) {
        result.values["launch_to_first_vm"] = seconds_between(seen.launched_when, first->when);
    }
    if (const auto* grant = seen.find("grant_accepted")) {
        result.values["launch_to_first_grant"] = seconds_between(seen.launched_when, grant->when);
    }
}

VmExits exits_of(const std::vector<ExitSample>& samples, const std::vector<Timed>& measurements) {
    VmExits exits;
    for (const Timed& measurement : measurements)
        if (measurement.metric == "idle") exits.idle = idle_rate(samples, measurement);
    for (const Timed& measurement : measurements)
        if (measurement.metric != "idle") exits.during[measurement.metric] = exits_during(samples, measurement, exits.idle);
    return exits;
}

/// What the whole machine costs while nobody does anything.
void collect_idle(const RunNotes& notes, const Timed& idle, RunResult& result) {
    if (!notes.all_idle(idle.begun)) return;
    if (const auto load = load_during(notes.load(), idle)) result.values["load"] = *load;
    double exits = 0;
    for (const auto& [vm, own] : result.exits) exits += total(own.idle);
    if (exits != 0) result.values["exits"] = exits;
}

Status<model::Error> collect_restart(const Observation& seen, const Workload& workload, const RunLog& log, RunResult& result) {
    const RestartTimes times = TRY(restart_times(seen, vm_of(workload), workload.restart, log));
    result.values["away"] = times.away_ms;
    result.values["first_byte"] = times.first_byte_ms;
    if (times.without_link_ms) result.values["without_link"] = *times.without_link_ms;
    return Done{};
}

model::Outcome<RunResult> result_of(const Observation& seen, const Workload& workload, const RunNotes& notes) {
    const auto* started = seen.find("vm_started", {{"vm", vm_of(workload)}});
    if (started == nullptr) return fail(std::string{"the hypervisor did not say when it started "} + vm_of(workload));
    RunResult result;
    collect(notes.log(), started->when, result);
    collect_launch(seen, result);
    for (const auto& [vm, samples] : notes.exits()) result.exits[vm] = exits_of(samples, result.measurements);
    for (const Timed& measurement : result.measurements)
        if (measurement.metric == "idle") collect_idle(notes, measurement, result);
    if (lives_of(workload) > 1) TRY(collect_restart(seen, workload, notes.log(), result));
    return result;
}

/// Empty when the run came to its end.
std::string why_broken(const RunPlan& plan, const Observation& seen, const RunNotes& notes, bool done) {
    const std::string vm = vm_of(*plan.task.workload);
    if (plan.interrupted()) return "interrupted";
    if (!done) return vm + " did not finish" + (seen.ending.empty() ? " within 600 s" : ": " + seen.ending);
    return notes.ended_too_often() ? vm + " ended by itself" : notes.log().failure();
}

} // namespace

model::Outcome<RunResult> run_casemate(const RunPlan& plan) {
    session::SessionConfig config;
    config.artefacts = plan.artefacts;
    config.tap = plan.task.network.tap;
    config.replaced = {{"policy.cbor", plan.policy}, {"client.img", plan.artefacts.images() / "client.img"}};
    config.reference = plan.reference;
    config.console_log = plan.console_log;
    auto session = TRY(Session::start(std::move(config)));

    RunNotes notes{*plan.task.workload};
    session->on_console([&](const std::string& line) { notes.take_line(line, Clock::now()); });
    session->on_idle([&] {
        notes.take_load(processor_seconds(*session), Clock::now());
        notes.take_status(session->seen().status, session->seen().status_when);
        plan.on_idle();
    });
    const bool done =
        session->run_until([&](const Observation&) { return plan.interrupted() || notes.finished(); }, run_limit);
    if (const std::string why = why_broken(plan, session->seen(), notes, done); !why.empty()) return fail(why);
    return result_of(session->seen(), *plan.task.workload, notes);
}

/// Nobody counts exits around a restart, and its first byte is waited for.
unsigned quiet_of(const Workload& workload) { return lives_of(workload) > 1 ? 0 : quiet_seconds; }

void collect(const RunLog& log, Clock::time_point kernel_entered, RunResult& result) {
    result.measurements = log.measurements();
    for (const Timed& measurement : result.measurements)
        if (measurement.metric != "idle") result.values[measurement.metric] = measurement.value;
    if (!log.booted()) return;
    result.values["boot"] = seconds_between(kernel_entered, *log.booted());
    result.values["boot_uptime"] = log.boot_uptime();
}

} // namespace casemate::bench
