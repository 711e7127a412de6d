// SPDX-License-Identifier: Apache-2.0
// casemate-agent: carries evidence from TPM and hypervisor to the verifier, and its grants back.
//   casemate-agent [--tcti NAME:CONF] [--control DIRECTORY] [--line PATH]                      over the management UART
//   casemate-agent-net [--tcti NAME:CONF] [--control DIRECTORY] --verifier URL [--ca FILE]     over a network
// The defaults are those of the agent VM. It ends only when it cannot open what it needs; its init starts it again.
#include "attest/agent/console.hpp"
#include "attest/agent/protocol.hpp"
#include "attest/agent/road.hpp"
#include "attest/agent/schedule.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

using namespace casemate::agent;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds patience = 20s; // longer than the slowest TPM behind the verifier's answer
constexpr std::chrono::milliseconds tick = 100ms;   // how soon a change of the hypervisor's state is noticed

struct Options {
    std::string tcti = "device:/dev/tpm0";
    std::string control{}; // empty: look for it in sysfs
    RoadOptions road = usual_road();
};

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--tcti") options.tcti = argv[i + 1];
        else if (name == "--control") options.control = argv[i + 1];
        else if (name == "--line") options.road.line = argv[i + 1];
        else if (name == "--verifier") options.road.verifier = argv[i + 1];
        else if (name == "--ca") options.road.authority = argv[i + 1];
        else return false;
    }
    return argc % 2 == 1;
}

/// Does what is due, and says why something failed. One instance for the agent's life.
class Loop {
public:
    Loop(Protocol& protocol, HypervisorClient& hypervisor) : protocol_{protocol}, hypervisor_{hypervisor} {}

    void turn() {
        if (!protocol_.enrolled()) {
            run(enrolment_, "enrol", 0ms, [&] { return protocol_.enrol(); });
            return;
        }
        notice_changes();
        run_attestation();
        run(orders_, "orders", 1s, [&] { return protocol_.poll_orders(); });
        run_secrets();
        run(report_, "report", 2s, [&] { return protocol_.report(); });
    }

private:
    static Job::Clock::time_point now() { return Job::Clock::now(); }

    template <typename Action>
    void run(Job& job, const char* name, std::chrono::milliseconds again_in, Action action) {
        if (!job.due(now())) return;
        const auto result = action();
        if (result.ok()) job.succeeded(now(), again_in);
        else failed(job, name, result.error());
    }
    void run_attestation() {
        if (!attestation_.due(now())) return;
        const auto again_in = protocol_.attest();
        if (again_in.ok()) attestation_.succeeded(now(), again_in.value());
        else failed(attestation_, "attest", again_in.error());
        report_.run_now();
    }
    void run_secrets() {
        if (!secrets_.due(now())) return;
        const auto waiting = protocol_.carry_secrets();
        if (waiting.ok()) secrets_.succeeded(now(), waiting.value() ? 500ms : 10s);
        else failed(secrets_, "secrets", waiting.error());
    }
    void notice_changes() {
        const std::uint32_t counter = hypervisor_.event_counter();
        if (counter == last_counter_) return;
        last_counter_ = counter;
        report_.run_now();
        secrets_.run_now();
        const auto fresh = protocol_.has_new_gates();
        if (fresh.ok() && fresh.value()) attestation_.run_now();
    }
    static void failed(Job& job, const char* name, const Error& error) {
        job.failed(now());
        say(std::string{"failed step="} + name + " reason=" + in_quotes(error.what));
    }

    Protocol& protocol_;
    HypervisorClient& hypervisor_;
    Job enrolment_{5s};
    Job attestation_{5s};
    Job orders_{5s};
    Job report_{5s};
    Job secrets_{5s};
    std::uint32_t last_counter_ = 0;
};

Outcome<ControlDevice> open_control(const Options& options) {
    if (!options.control.empty()) return ControlDevice::open(options.control);
    return ControlDevice::open(TRY(ControlDevice::find("/sys/bus/pci/devices")));
}

Outcome<casemate::Done> run_agent(const Options& options) {
    ControlDevice control = TRY(open_control(options));
    Tpm tpm = TRY(Tpm::create(options.tcti));
    const auto transport = TRY(open_road(options.road));
    HypervisorClient hypervisor{control};
    Protocol protocol{tpm, hypervisor, *transport};
    Loop loop{protocol, hypervisor};
    say("started tcti=" + options.tcti + " line=" + options.road.line + options.road.verifier);
    // Before anything is granted, and once: it is good for the first grant of a launch only.
    if (const auto offered = protocol.bootstrap(); !offered.ok()) say("failed step=bootstrap reason=" + in_quotes(offered.error().what));
    for (;;) {
        loop.turn();
        std::this_thread::sleep_for(tick);
    }
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    options.road.patience = patience;
    if (!parse(argc, argv, options)) {
        std::fputs("usage: casemate-agent [--tcti NAME:CONF] [--control DIRECTORY] [--line PATH | --verifier URL --ca FILE]\n", stderr);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    ::setenv("TSS2_LOG", "all+none", 0); // our own lines say what failed
    const auto result = run_agent(options);
    say("stopped reason=" + in_quotes(result.error().what));
    return 1;
}
