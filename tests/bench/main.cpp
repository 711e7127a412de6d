// SPDX-License-Identifier: Apache-2.0
// casemate-bench: the main job of `./casemate bench`. Alternates native and Casemate boots, measures the same in both, prints
// the tables and writes the report. A slow number is reported, never a failure; exit status 1 means that a run broke.
#include "dlaunch/session/report.hpp"
#include "tests/bench/rounds.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

namespace {

using namespace casemate;
using namespace casemate::bench;
namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupted = 0;

int complain(const std::string& sentence) {
    std::fprintf(stderr, "casemate bench: %s.\n", sentence.c_str());
    return 1;
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
    options.interrupted = [] { return interrupted != 0; };
    app.add_option("--build", options.built.build)->required()->group("");
    app.add_option("--rounds", options.rounds, "how often each workload is run on each of its sides (1)")->check(CLI::Range(1, 100));
    app.add_option("--report", options.report, "write a JSON report (docs/interfaces/bench.md) to this file");
    app.add_option("--only", options.only, "only metrics whose name begins with this: boot, tcp, udp, sequential, random, client, restart, vms ...");
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
