// SPDX-License-Identifier: Apache-2.0
// casemate-bench: the main job of `./casemate bench`. Alternates native and Casemate boots, measures the same in both, prints
// the tables and writes the report. A slow number is reported, never a failure; exit status 1 means that a run broke.
#include "dlaunch/model/child.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/session/policy_variant.hpp"
#include "dlaunch/session/progress.hpp"
#include "dlaunch/session/report.hpp"
#include "tests/bench/report.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

namespace {

using namespace casemate;
using namespace casemate::bench;
namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupted = 0;

struct Options {
    session::Artefacts built;
    unsigned rounds = 3;
    fs::path report;
    fs::path consoles;
    std::string only;
    bool quiet = false;
};

int complain(const std::string& sentence) {
    std::fprintf(stderr, "casemate bench: %s.\n", sentence.c_str());
    return 1;
}

/// Everything one workload needs for its runs, made once.
model::Outcome<RunPlan> prepare(const Options& options, const Network& network, Workload workload, const fs::path& directory) {
    RunPlan plan{.artefacts = options.built, .network = network, .workload = workload, .plan = plan_for(workload, options.only)};
    plan.interrupted = [] { return interrupted != 0; };
    const fs::path own = directory / name_of(workload);
    fs::create_directory(own);
    const std::string image = "initrd = \"" + std::string{vm_of(workload)} + ".img\"\n";
    const std::string before = image + "command_line = \"console=ttyS0 quiet panic=-1\"";
    const std::string after =
        image + "command_line = \"console=ttyS0 quiet panic=-1" + workload_arguments(plan, quiet_seconds) + "\"";
    const std::string source = TRY(session::changed_source(options.built, {{before, after}}));
    const Workload other = workload == Workload::net ? Workload::disk : Workload::net;
    plan.policy = TRY(session::compile_policy(options.built, own, session::without_tables(source, vm_of(other))));
    plan.reference = TRY(session::predict(options.built, own, plan.policy, options.built.images()));
    return plan;
}

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

/// One boot of one side; its result goes to `results`.
Status<model::Error> run_side(const Options& options, RunPlan plan, const char* name, Side side, unsigned round,
                              session::Progress& progress, std::vector<RunResult>& results) {
    progress.begin("round " + std::to_string(round + 1) + " of " + std::to_string(options.rounds) + ": " +
                   name_of(plan.workload) + ", " + name);
    plan.on_idle = [&] { progress.refresh(); };
    if (!options.consoles.empty())
        plan.console_log = options.consoles / (std::string{name} + "-" + name_of(plan.workload) + "-" + std::to_string(round + 1));
    auto result = side(plan);
    if (!result.ok()) return model::fail(std::string{name} + ", " + name_of(plan.workload) + ": " + result.error().text);
    results.push_back(std::move(result).value());
    return Done{};
}

Status<model::Error> run_rounds(const Options& options, const Network& network, Runs& runs) {
    const auto scratch = TRY(model::StateDir::create());
    Peer peer;
    TRY(peer.start(options, network));
    std::vector<RunPlan> plans;
    for (const Workload workload : {Workload::net, Workload::disk})
        if (!plan_for(workload, options.only).empty())
            plans.push_back(TRY(prepare(options, network, workload, scratch.path())));
    if (plans.empty()) return model::fail("no metric has '" + options.only + "' in its name");
    session::Progress progress{static_cast<unsigned>(2 * plans.size() * options.rounds), options.quiet};
    for (unsigned round = 0; round < options.rounds; ++round) {
        for (const RunPlan& plan : plans) {
            TRY(peer.check());
            SideRuns& sides = runs[plan.workload];
            TRY(run_side(options, plan, "native", run_native, round, progress, sides.native));
            TRY(run_side(options, plan, "casemate", run_casemate, round, progress, sides.casemate));
        }
    }
    progress.end();
    return Done{};
}

int run_bench(const Options& options) {
    const Network network = make_network(); // before anything is started
    if (const auto missing = options.built.missing()) return complain("the build has no " + missing->string());
    if (!options.consoles.empty()) fs::create_directories(options.consoles);
    Runs runs;
    const auto measured = run_rounds(options, network, runs);
    nlohmann::json report = make_report(runs, options.only, network, options.built, CASEMATE_SOURCE);
    report["rounds"] = options.rounds;
    report["result"] = measured.ok() ? "complete" : "broken";
    report["failure"] = measured.ok() ? nlohmann::json(nullptr) : nlohmann::json(measured.error().text);
    if (!options.report.empty() && !session::write_report(report, options.report))
        return complain("cannot write " + options.report.string());
    if (!options.quiet && !report["metrics"].empty()) std::printf("\n%s", tables(report).c_str());
    return measured.ok() ? 0 : complain(measured.error().text);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures what a driver VM costs: native and Casemate boots in turn on the same emulated machine."};
    app.name("casemate bench");
    Options options;
    app.add_option("--build", options.built.build)->required()->group("");
    app.add_option("--rounds", options.rounds, "native and Casemate boots of each workload (3)")->check(CLI::Range(1, 100));
    app.add_option("--report", options.report, "write a JSON report (docs/interfaces/bench.md) to this file");
    app.add_option("--only", options.only, "only metrics with this in their name: boot, tcp, udp, sequential, random ...");
    app.add_option("--consoles", options.consoles, "keep each run's console in this directory");
    app.add_flag("--quiet", options.quiet, "print nothing but errors");
    CLI11_PARSE(app, argc, argv);
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    try {
        return run_bench(options);
    } catch (const std::exception& problem) { // a directory that may not be read, say
        return complain(problem.what());
    }
}
