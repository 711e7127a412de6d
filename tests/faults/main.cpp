// SPDX-License-Identifier: Apache-2.0
// casemate-faults: the main job of `./casemate faults`. Exit status 0: every fault was done, the driver VM came back each time and nobody
// else noticed any of them.
#include "tests/faults/campaign.hpp"
#include "tests/faults/report.hpp"

#include "dlaunch/session/report.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

namespace {

using namespace casemate;
using namespace casemate::faults;
namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupted = 0;
constexpr int wrong_usage = 2;

struct Options {
    CampaignOptions campaign;
    std::uint64_t seed = 1;
    std::string only;
    fs::path report;
    bool json = false;
    bool quiet = false;
};

int complain(const std::string& sentence) {
    std::fprintf(stderr, "casemate faults: %s.\n", sentence.c_str());
    return 1;
}

State fresh(const Options& options) {
    State state;
    state.seed = options.seed;
    if (!options.only.empty()) state.kinds = {options.only};
    return state;
}

/// Where an earlier run with the same seed and classes stopped, or the beginning.
model::Outcome<State> begin(const Options& options) {
    const State from_start = fresh(options);
    const fs::path& file = options.campaign.state;
    if (file.empty() || !fs::exists(file)) return from_start;
    const auto kept = load(file);
    if (!kept) return model::fail(file.string() + " is not the state of a campaign");
    if (kept->seed != from_start.seed || kept->kinds != from_start.kinds)
        return model::fail(file.string() + " is the state of another campaign: of seed " + std::to_string(kept->seed));
    return *kept;
}

void announce(const Fault& fault, Effect effect, const std::string& target) {
    std::printf("%6llu  %-9s  %-28s %s\n", static_cast<unsigned long long>(fault.number), fault.kind.c_str(), name_of(effect), target.c_str());
    std::fflush(stdout);
}

int faults_main(Options& options) {
    auto state = begin(options);
    if (!state.ok()) return complain(state.error().text);
    if (!options.campaign.consoles.empty()) fs::create_directories(options.campaign.consoles);
    options.campaign.interrupted = [] { return interrupted != 0; };
    if (!options.quiet && !options.json) options.campaign.on_fault = announce;
    State& found = state.value();
    const auto run = run_campaign(options.campaign, found);
    const std::uint64_t count = options.campaign.count;
    const nlohmann::json report = make_report(found, count);
    if (!options.report.empty() && !session::write_report(report, options.report)) return complain("cannot write " + options.report.string());
    if (options.json) std::printf("%s\n", report.dump(2).c_str());
    else if (!options.quiet) std::printf("\n%s", table(found, count).c_str());
    if (!run.ok()) return complain(run.error().text);
    return passed(found, count) ? 0 : complain(std::to_string(found.failures.size()) + " failures");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Does faults inside a driver VM at work, one after the other; nobody else may notice."};
    app.name("casemate faults");
    Options options;
    options.campaign.count = 50;
    app.add_option("--build", options.campaign.built.build)->required()->group("");
    app.add_option("--count", options.campaign.count, "faults in all, those of earlier runs with this state included (50)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
    app.add_option("--seed", options.seed, "decides every fault (1)");
    app.add_option("--state", options.campaign.state, "kept after each fault: a later run with the same file goes on");
    app.add_option("--report", options.report, "write a JSON report (docs/interfaces/faults.md) to this file");
    app.add_option("--only", options.only, "faults of this class only: " + CLI::detail::join(classes()))->check(CLI::IsMember(classes()));
    app.add_option("--per-launch", options.campaign.per_session, "faults before the machine is launched anew (40)")->check(CLI::Range(1, 400));
    app.add_option("--consoles", options.campaign.consoles, "keep the console of each launch in this directory");
    app.add_flag("--json", options.json, "print the report, and nothing else");
    app.add_flag("--quiet", options.quiet, "print nothing but errors");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : wrong_usage;
    }
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    try {
        return faults_main(options);
    } catch (const std::exception& problem) { // a directory that may not be read, say
        return complain(problem.what());
    }
}
