// SPDX-License-Identifier: Apache-2.0
// casemate-bench-attest: the main job of `./casemate bench attest`. A slow number is reported, never a failure; exit status 1
// means that a measurement broke.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "dlaunch/session/report.hpp"
#include "tests/bench/attest/appraisal_rate.hpp"
#include "tests/bench/attest/report.hpp"
#include "tests/bench/attest/service_load.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace {

using namespace casemate;
using namespace casemate::bench::attest;

struct Options {
    std::filesystem::path build;
    std::filesystem::path report;
    int rounds = 1;
    double seconds = 5;
    std::string only;
    bool quiet = false;
};

constexpr std::uint32_t restarts = 11; // of each driver VM: 15 kB of log

/// A descriptor a connection, on both sides.
void allow_many_connections() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void measure(const Options& options, const ServiceUnderLoad& setup, Values& values) {
    for (int round = 1; round <= options.rounds; ++round) {
        if (!options.quiet) std::fprintf(stderr, "[bench] round %d of %d\n", round, options.rounds);
        if (wanted("appraisal", options.only)) measure_appraisal(setup.materials, values);
        for (const std::size_t connections : {200, 2000})
            if (wanted("rounds_" + std::to_string(connections), options.only)) measure_rounds(setup, connections, values);
        if (wanted("rounds_postgresql", options.only)) measure_replicas(setup, values);
        if (wanted("leases", options.only)) measure_leases(setup, values);
        if (wanted("curve", options.only)) measure_curve(setup, values);
    }
}

int run(const Options& options) {
    allow_many_connections();
    const test::ScratchDirectory scratch;
    fleet::Materials materials{scratch / "materials"};
    const ServiceUnderLoad setup{options.build / "bin" / "casemate-verifierd", scratch.path(), materials, restarts, options.seconds};
    Values values;
    std::string failure;
    try {
        measure(options, setup, values);
    } catch (const std::exception& problem) {
        failure = problem.what();
    }
    nlohmann::json report = make_report(values, options.only);
    report["rounds"] = options.rounds;
    report["result"] = failure.empty() ? "complete" : "broken";
    report["failure"] = failure.empty() ? nlohmann::json(nullptr) : nlohmann::json(failure);
    if (!options.quiet) std::printf("%s", table_of(report).c_str());
    if (!failure.empty()) std::fprintf(stderr, "casemate bench attest: %s.\n", failure.c_str());
    if (!options.report.empty() && !session::write_report(report, options.report)) {
        std::fprintf(stderr, "casemate bench attest: cannot write %s.\n", options.report.c_str());
        return 1;
    }
    return failure.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures the attestation service: appraisals, whole rounds over HTTPS, leases of 10,000 platforms, cost by size of the store."};
    app.name("casemate bench attest");
    Options options;
    app.add_option("--build", options.build)->required()->group("");
    app.add_option("--rounds", options.rounds, "how often everything is measured (1)")->check(CLI::Range(1, 100));
    app.add_option("--seconds", options.seconds, "how long each load lasts (5)")->check(CLI::Range(0.1, 600.0));
    app.add_option("--report", options.report, "write a JSON report (docs/interfaces/bench.md) to this file");
    app.add_option("--only", options.only, "only metrics whose name begins with this: appraisal, rounds, leases, curve");
    app.add_flag("--quiet", options.quiet, "print nothing but errors");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "casemate bench attest: %s.\n", problem.what());
        return 1;
    }
}
