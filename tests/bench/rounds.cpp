// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/rounds.hpp"

#include "dlaunch/model/child.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/session/policy_variant.hpp"
#include "dlaunch/session/progress.hpp"

namespace casemate::bench {
namespace {

namespace fs = std::filesystem;

/// Serves the other end of the network for the bench's whole life.
class Peer {
public:
    Status<model::Error> start(const Options& options, const Network& network) {
        reactor_ = TRY(model::Reactor::create());
        model::ChildSpec spec;
        spec.name = "peer";
        spec.command = {options.built.program("casemate-peer"), "serve", network.listen_address, std::to_string(network.port)};
        child_ = TRY(model::Child::start(*reactor_, std::move(spec), {}));
        return Done{};
    }
    /// Takes what it says; an error when it ended.
    Status<model::Error> check() {
        reactor_->step(model::Millis{0});
        if (!child_->running()) return model::fail("the " + child_->epitaph());
        return Done{};
    }

private:
    std::unique_ptr<model::Reactor> reactor_;
    std::unique_ptr<model::Child> child_;
};

using Side = model::Outcome<RunResult> (*)(const RunPlan&);

/// Everything one workload needs for its runs, made once.
model::Outcome<RunPlan> prepare(const Options& options, const Network& network, const Workload& workload, const fs::path& directory) {
    RunPlan plan{.artefacts = options.built,
                 .task = {.workload = &workload, .plan = plan_for(workload, chosen(options.only)), .network = network}};
    plan.interrupted = options.interrupted;
    const fs::path own = directory / workload.name;
    fs::create_directory(own);
    const std::string source = TRY(policy_source(session::standard_source(options.built), plan.task, quiet_of(workload)));
    plan.policy = TRY(session::compile_policy(options.built, own, source));
    plan.reference = TRY(session::predict(options.built, own, plan.policy, options.built.images()));
    return plan;
}

/// The policies of all workloads that are asked for.
model::Outcome<std::vector<RunPlan>> prepare_all(const Options& options, const Network& network, const fs::path& directory) {
    std::vector<RunPlan> plans;
    for (const Workload& workload : workloads())
        if (wanted(workload, chosen(options.only))) plans.push_back(TRY(prepare(options, network, workload, directory)));
    if (plans.empty()) return model::fail("no metric's name begins with '" + options.only + "'");
    return plans;
}

unsigned boots(const std::vector<RunPlan>& plans) {
    unsigned count = 0;
    for (const RunPlan& plan : plans) count += plan.task.workload->native ? 2 : 1;
    return count;
}

/// The runs of one bench, one boot after the other.
class Course {
public:
    Course(const Options& options, unsigned boots) : options_{options}, progress_{boots * options.rounds, options.quiet} {}
    ~Course() { progress_.end(); }

    /// One boot of one side; its result goes to `results`.
    Status<model::Error> run(RunPlan plan, const char* name, Side side, unsigned round, std::vector<RunResult>& results) {
        const std::string workload = plan.task.workload->name;
        progress_.begin("round " + std::to_string(round + 1) + " of " + std::to_string(options_.rounds) + ": " + workload + ", " + name);
        plan.on_idle = [&] { progress_.refresh(); };
        if (!options_.consoles.empty())
            plan.console_log = options_.consoles / (std::string{name} + "-" + workload + "-" + std::to_string(round + 1));
        auto result = side(plan);
        if (!result.ok()) return model::fail(std::string{name} + ", " + workload + ": " + result.error().text);
        results.push_back(std::move(result).value());
        return Done{};
    }

private:
    const Options& options_;
    session::Progress progress_;
};

} // namespace

Status<model::Error> run_rounds(const Options& options, const Network& network, Runs& runs) {
    const auto scratch = TRY(model::StateDir::create());
    Peer peer;
    TRY(peer.start(options, network));
    const auto plans = TRY(prepare_all(options, network, scratch.path()));
    Course course{options, boots(plans)};
    for (unsigned round = 0; round < options.rounds; ++round) {
        for (const RunPlan& plan : plans) {
            TRY(peer.check());
            SideRuns& sides = runs[plan.task.workload->name];
            if (plan.task.workload->native) TRY(course.run(plan, "native", run_native, round, sides.native));
            TRY(course.run(plan, "casemate", run_casemate, round, sides.casemate));
        }
    }
    return Done{};
}

} // namespace casemate::bench
