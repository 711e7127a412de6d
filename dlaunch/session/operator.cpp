// SPDX-License-Identifier: Apache-2.0
// casemate-operator: what `./casemate top`, `./casemate console` and `./casemate vm` start. Talks to a session that `./casemate up --keep-running`
// keeps up (docs/interfaces/operator.md).
#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/operator_client.hpp"
#include "dlaunch/session/operator_view.hpp"
#include "dlaunch/session/prometheus.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <thread>

namespace {

using namespace casemate;
using namespace casemate::session;
using nlohmann::json;

constexpr int wrong_usage = 2;
constexpr std::chrono::seconds refresh_interval{1};

volatile std::sig_atomic_t interrupted = 0;

struct Options {
    std::optional<int> session;
    bool once = false;
    bool json = false;
    bool prometheus = false;
    std::string vm;
    bool follow = false;
    std::string order;
};

using Job = Status<model::Error>;

bool is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

/// False when nobody reads any more.
bool print(const std::string& text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

std::string shown(const Options& options, const json& status) {
    if (options.prometheus) return prometheus_text(status);
    if (options.json)
        return status.dump(options.once ? 2 : -1, ' ', true, json::error_handler_t::replace) + "\n";
    const char* home_and_clear = "\x1b[H\x1b[J";
    return (is_terminal() && !options.once ? home_and_clear : "") + top_view(status);
}

Job top(const Options& options) {
    OperatorClient client = TRY(OperatorClient::connect(OperatorDirectory::usual_path(), options.session));
    while (interrupted == 0) {
        const json answer = TRY(client.ask({{"do", "status"}}));
        if (!print(shown(options, member(answer, "status"))) || options.once || options.prometheus) break;
        std::this_thread::sleep_for(refresh_interval);
    }
    return Done{};
}

Job console(const Options& options) {
    OperatorClient client = TRY(OperatorClient::connect(OperatorDirectory::usual_path(), options.session));
    const json answer = TRY(client.ask({{"do", "console"}, {"vm", options.vm}, {"follow", options.follow}}));
    const json kept = member(answer, "lines");
    std::uint64_t left = kept.is_number_unsigned() ? kept.get<std::uint64_t>() : 0;
    for (; left > 0 || options.follow; left -= left > 0 ? 1 : 0) {
        const auto next = client.next(std::nullopt);
        if (interrupted != 0) return Done{};
        if (!next.ok()) return Failure{next.error()};
        const json line = member(next.value(), "line");
        if (!print((line.is_string() ? printable(line.get<std::string>()) : "") + "\n")) break;
    }
    return Done{};
}

Job order(const Options& options) {
    OperatorClient client = TRY(OperatorClient::connect(OperatorDirectory::usual_path(), options.session));
    TRY(client.ask({{"do", "vm"}, {"order", options.order}, {"vm", options.vm}}));
    print("the hypervisor has accepted the order: " + options.order + " " + options.vm + "\n");
    return Done{};
}

void stop_at_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Shows and follows a session that ./casemate up --keep-running keeps up."};
    app.name("casemate");
    app.require_subcommand(1);
    Options options;
    CLI::App* top_command =
        app.add_subcommand("top", "each VM's state, exits a second and devices, each device's lease, each link's traffic");
    top_command->add_flag("--once", options.once, "print once and end");
    top_command->add_flag("--json", options.json,
                          "as JSON (docs/interfaces/operator.md); without --once one line a second");
    top_command->add_flag("--prometheus", options.prometheus, "print once, in Prometheus' text format")
        ->excludes("--json");
    CLI::App* console_command = app.add_subcommand("console", "the last lines of a VM's console");
    console_command->add_option("VM", options.vm, "the VM's name")->required();
    console_command->add_flag("--follow", options.follow, "go on until Ctrl-C");
    CLI::App* vm_command =
        app.add_subcommand("vm", "stop, start or restart a driver VM under the grants that it has");
    vm_command->add_option("ORDER", options.order)
        ->required()
        ->check(CLI::IsMember({"stop", "start", "restart"}));
    vm_command->add_option("VM", options.vm, "the VM's name")->required();
    for (CLI::App* command : {top_command, console_command, vm_command})
        command->add_option("--session", options.session,
                            "the session's process number, when several are running");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : wrong_usage;
    }
    stop_at_signals();
    const Job done = top_command->parsed()  ? top(options)
                     : vm_command->parsed() ? order(options)
                                            : console(options);
    if (done.ok() || interrupted != 0) return 0;
    std::fprintf(stderr, "casemate: %s.\n", printable(done.error().text).c_str());
    return 1;
}
