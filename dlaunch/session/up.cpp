// SPDX-License-Identifier: Apache-2.0
// casemate-up: the main job of `./casemate up`. Boots the emulated platform, waits until a verifier has attested it and both
// driver VMs have proved their devices with real traffic, prints who holds what, writes the report.
#include "dlaunch/session/progress.hpp"
#include "dlaunch/session/report.hpp"
#include "dlaunch/session/session.hpp"
#include "dlaunch/session/table.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>

namespace {

using namespace casemate;
using namespace casemate::session;

constexpr int wrong_usage = 2;

volatile std::sig_atomic_t interrupted = 0;

struct Options {
    SessionConfig session;
    std::filesystem::path report;
    bool quiet = false;
    bool keep_running = false;
};

/// One wait of the main job.
struct Phase {
    const char* what;
    std::function<bool(const Observation&)> done;
    std::chrono::seconds limit;
    const char* failure;
};

bool device_assigned(const Observation& seen, const char* location) {
    return seen.find("assigned", {{"device", location}}) != nullptr;
}

bool proved(const Observation& seen, const char* kind) { return seen.proofs.contains(kind); }

std::vector<Phase> phases() {
    using std::chrono::seconds;
    return {
        {"firmware and launcher, until SKINIT", [](const Observation& s) { return !s.launches.empty(); }, seconds{60},
         "the launcher did not execute SKINIT"},
        {"SLB measures and verifies, hypervisor starts",
         [](const Observation& s) { return s.count("hypervisor_start") > 0; }, seconds{60},
         "the hypervisor did not start"},
        {"hypervisor measures the VMs and opens the gates",
         [](const Observation& s) { return s.count("gate_opened") >= 2; }, seconds{60}, "no gate was opened"},
        {"agent enrols and is attested; first grant",
         [](const Observation& s) { return s.count("grant_accepted") > 0; }, seconds{120}, "no grant was accepted"},
        {"devices are handed over",
         [](const Observation& s) { return device_assigned(s, "00:03.0") && device_assigned(s, "00:04.0"); },
         seconds{60}, "a device was not handed over"},
        {"net0 moves 128 MiB each way over TCP", [](const Observation& s) { return proved(s, "net"); }, seconds{180},
         "net0 gave no traffic proof"},
        {"disk0 writes and reads back 256 MiB", [](const Observation& s) { return proved(s, "disk"); }, seconds{180},
         "disk0 gave no traffic proof"},
    };
}

/// A status report that is younger than everything else that was seen.
bool fresh_status(Session& session, Clock::time_point since) {
    return session.run_until([&](const Observation& s) { return interrupted != 0 || s.status_when > since; },
                             std::chrono::seconds{30});
}

/// Until the log of the newest evidence replays to what PCR 19 is now.
bool ledger_settled(Session& session) {
    return session.run_until([&](const Observation&) { return interrupted != 0 || last_log_is_current(session); },
                             std::chrono::seconds{45});
}

std::optional<std::string> run_phases(Session& session, Progress& progress) {
    for (const Phase& phase : phases()) {
        progress.begin(phase.what);
        const bool done =
            session.run_until([&](const Observation& s) { return interrupted != 0 || phase.done(s); }, phase.limit);
        if (interrupted != 0) return "interrupted";
        if (!done) {
            const std::string& ending = session.seen().ending;
            return phase.failure + (ending.empty() ? std::string{" in time"} : ": " + ending);
        }
    }
    progress.begin("last evidence covers the whole ledger");
    if (!ledger_settled(session)) return "the verifier has no evidence that covers the whole ledger";
    if (!fresh_status(session, Clock::now())) return "the agent reported no status after the proofs";
    progress.end();
    return std::nullopt;
}

void show_last_lines(const Observation& seen) {
    const std::size_t first = seen.lines.size() > 15 ? seen.lines.size() - 15 : 0;
    for (std::size_t i = first; i < seen.lines.size(); ++i) std::fprintf(stderr, "  | %s\n", seen.lines[i].c_str());
}

int complain(const std::string& sentence) {
    std::fprintf(stderr, "casemate up: %s.\n", sentence.c_str());
    return 1;
}

/// Before a minute of work whose result could not be kept.
bool writable(const std::filesystem::path& file) { return file.empty() || std::ofstream{file, std::ios::app}.good(); }

int up(const Options& options) {
    for (const auto& file : {options.report, options.session.console_log})
        if (!writable(file)) return complain("cannot write " + file.string());
    Progress progress{9, options.quiet};
    progress.begin("TPM identity, verifier, ESP, machine");
    auto started = Session::start(options.session);
    if (!started.ok()) return complain(started.error().text);
    Session& session = *started.value();
    session.on_idle([&] { progress.refresh(); });

    std::optional<std::string> failure = run_phases(session, progress);
    nlohmann::json report = make_report(session, progress.phases());
    if (!failure) failure = verdict(report);
    report["result"] = failure ? "failed" : "passed";
    report["failure"] = failure ? nlohmann::json(*failure) : nlohmann::json(nullptr);
    if (!options.report.empty() && !write_report(report, options.report)) {
        failure = "cannot write " + options.report.string();
    }
    if (failure) {
        show_last_lines(session.seen());
        return complain(*failure);
    }
    if (!options.quiet) std::printf("\n%s\n%s\n", summary(report).c_str(), custody_table(report).c_str());
    if (options.keep_running) {
        std::printf("running until Ctrl-C; meanwhile: ./casemate top, ./casemate console VM\n");
        std::fflush(stdout);
        session.run_until([](const Observation&) { return interrupted != 0; }, std::chrono::hours{24});
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Boots the emulated platform, attests it, hands the devices over and proves that they work."};
    app.name("casemate up");
    Options options;
    app.add_option("--build", options.session.artefacts.build)->required()->group("");
    app.add_flag("--quiet", options.quiet, "print nothing but errors");
    app.add_option("--report", options.report, "write a JSON report (docs/interfaces/report.md) to this file");
    app.add_option("--smp", options.session.processors, "processors of the platform, two or more for the default policy (2)")->check(CLI::Range(2, 16));
    app.add_option("--console", options.session.console_log, "append every console line to this file");
    app.add_option("--platform", options.session.platform, "the platform's directory: its TPM, disk and sealed secrets stay (a new platform for this run only)");
    app.add_flag("--keep-running", options.keep_running, "stay up after the proofs, until Ctrl-C");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : wrong_usage;
    }
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    if (options.keep_running) options.session.operator_directory = OperatorDirectory::usual_path();
    try {
        return up(options);
    } catch (const std::exception& problem) { // a directory that may not be read, say
        return complain(problem.what());
    }
}
