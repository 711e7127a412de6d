// SPDX-License-Identifier: Apache-2.0
// casemate-relay: the relay as a process. Exit codes: 0 stopped by a signal, 1 usage, 3 no line, 4 line closed.
#include <csignal>
#include <iostream>

#include <CLI/CLI.hpp>
#include <sys/signalfd.h>
#include <unistd.h>

#include "attest/relay/relay.hpp"

namespace {

int signal_descriptor() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

int exit_code(casemate::relay::RelayEnd end, const casemate::relay::RelayOptions& options) {
    using casemate::relay::RelayEnd;
    if (end == RelayEnd::stopped) return 0;
    const bool missing = end == RelayEnd::no_line;
    std::cerr << "casemate-relay: " << options.socket.string()
              << (missing ? ": nobody listens there\n" : ": closed by the other side\n");
    return missing ? 3 : 4;
}

} // namespace

int main(int argc, char** argv) {
    casemate::relay::RelayOptions options;
    std::filesystem::path report;
    std::filesystem::path orders, secrets;
    long connect_seconds = 30;
    CLI::App app{"Carries the agent's messages from the management UART to the verifier.", "casemate-relay"};
    app.add_option("--uart", options.socket, "unix socket of the management UART")->required();
    app.add_option("--verifier", options.verifier, "https://host:port")->required();
    app.add_option("--ca", options.authority, "PEM file of the verifier's TLS authority")->required()->check(CLI::ExistingFile);
    app.add_option("--report", report, "keep the agent's latest status report here");
    app.add_option("--orders", orders, "give the agent the operator's orders that are in this file");
    app.add_option("--secrets", secrets, "give the agent the sealed secrets that are in this file");
    app.add_option("--connect-seconds", connect_seconds, "how long to wait for the line")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    if (!options.verifier.starts_with("https://")) {
        std::cerr << "casemate-relay: --verifier must begin with https://\n";
        return 1;
    }
    options.connect_time = std::chrono::seconds{connect_seconds};
    if (!report.empty()) options.report = casemate::relay::report_to_file(report);
    if (!orders.empty()) options.orders = casemate::relay::waiting_in_file(orders);
    if (!secrets.empty()) options.secrets = casemate::relay::waiting_in_file(secrets);
    return exit_code(casemate::relay::run_relay(options, signal_descriptor()), options);
}
