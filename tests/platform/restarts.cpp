// SPDX-License-Identifier: Apache-2.0
// Driver VMs that end by themselves: restarted under the same grant, with nobody asked; too often, and they are out.
#include "dlaunch/session/report.hpp"
#include "tests/platform/fixture.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// docs/interfaces/ledger.md; hypervisor/core/stop_reason.hpp
constexpr const char* cause_exited = "4";
constexpr const char* reason_reset = "2";
constexpr const char* cause_restart_limit = "8";
constexpr std::size_t restart_limit = 5; // hypervisor/custody/records.hpp

constexpr const char* nic = "00:03.0";

std::vector<const ConsoleEvent*> all(const Observation& seen, std::string_view name, const session::Fields& fields) {
    std::vector<const ConsoleEvent*> found;
    for (const auto& each : seen.events)
        if (each.event.name == name && std::ranges::all_of(fields, [&](const auto& f) { return each.event.get(f.first) == f.second; }))
            found.push_back(&each.event);
    return found;
}

std::ptrdiff_t lines(const Observation& seen, const std::string& text) {
    return std::ranges::count_if(seen.lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

bool net_serves(const Observation& seen) {
    return std::ranges::any_of(seen.lines, [](const std::string& line) {
        return line.find("CM_STATE net") != std::string::npos && line.find("step=service") != std::string::npos;
    });
}

/// Where the guest asks whether it shall crash: a port of the host that answers once, when it is told to.
class CrashPort {
public:
    CrashPort() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
        sockaddr_in own{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
        socklen_t size = sizeof own;
        const auto address = reinterpret_cast<sockaddr*>(&own);
        if (bind(socket_.get(), address, size) == 0 && getsockname(socket_.get(), address, &size) == 0) port_ = ntohs(own.sin_port);
    }
    [[nodiscard]] unsigned number() const { return port_; }
    /// True when the guest has got its answer.
    bool crash() {
        if (::listen(socket_.get(), 1) != 0) return false;
        const model::UniqueFd guest{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        return guest.get() >= 0;
    }
    void close() { socket_ = {}; }

private:
    model::UniqueFd socket_;
    unsigned port_ = 0;
};

/// A session whose `vm` is told to crash by `arguments`.
std::unique_ptr<Session> with_crashes(Context& context, const Scratch& scratch, const std::string& vm, const std::string& arguments) {
    const session::Artefacts built{context.build()};
    const std::string line = "initrd = \"" + vm + ".img\"\ncommand_line = \"";
    const fs::path policy = changed_policy(context, scratch, {{line, line + arguments + " "}});
    const fs::path reference = policy.empty() ? fs::path{} : reference_for(context, scratch, policy, built.images());
    if (!context.expect(!reference.empty(), "a policy whose " + vm + " crashes compiles and is predicted")) return nullptr;
    SessionConfig config = standard(context);
    config.replaced["policy.cbor"] = policy;
    config.reference = reference;
    return begin(context, std::move(config));
}

/// The newest evidence covers everything so far and is affirmed; its log replays to PCR 19.
void expect_proved(Context& context, Session& session) {
    context.expect(session.run_until([&](const Observation&) { return session::last_log_is_current(session); }, seconds{120}),
                   "the newest evidence covers the whole ledger: its log replays to PCR 19");
    context.expect(newest_reasons(session).contains("affirming"), "and the verifier affirms it");
}

const Registration restarted{"a-driver-vm-that-panics-is-restarted-under-the-same-grant-and-works-again", [](Context& context) {
    const Scratch scratch;
    CrashPort port;
    const auto session = with_crashes(context, scratch, "net0", "cm.crash_port=" + std::to_string(port.number()));
    if (!session) return;
    context.expect(session->run_until(both_assigned, seconds{300}), "both devices are handed over");
    if (!context.expect(session->run_until([](const Observation& s) { return both_proved(s) && net_serves(s); },
                                           seconds{400}),
                        "both driver VMs prove their device"))
        return;
    context.expect(session->run_until([&](const Observation&) { return port.crash(); }, seconds{60}), "net0 is told to panic");
    port.close();
    if (!context.expect(session->run_until([](const Observation& s) { return s.find("vm_stopped", {{"vm", "net0"}}); }, seconds{60}),
                        "net0 panics"))
        return;
    const Observation& seen = session->seen();
    const auto* stopped = seen.find("vm_stopped", {{"vm", "net0"}});
    context.expect(stopped && stopped->event.get("cause") == cause_exited && stopped->event.get("reason") == reason_reset,
                   "and ends by a reset");
    context.expect(session->run_until([](const Observation& s) { return s.find("vm_started", {{"vm", "net0"}, {"start", "2"}}); }, seconds{120}),
                   "it is started again");
    const auto assigned = all(seen, "assigned", {{"device", nic}});
    context.expect(assigned.size() == 2 && !assigned[0]->get("grant").empty() && assigned[0]->get("grant") == assigned[1]->get("grant"),
                   "its NIC is assigned to it again, under the same grant");
    context.expect(seen.count("grant_accepted") == 2, "no further grant was needed");
    context.expect(session->run_until([](const Observation& s) { return lines(s, "CM_PROOF net") == 2; }, seconds{240}),
                   "its driver moves the data again");
    context.expect(seen.find("vm_stopped", {{"vm", "disk0"}}) == nullptr && seen.count("draining") == 0, "disk0 did not notice");
    expect_proved(context, *session);
    context.expect(session->run_until([](const Observation& s) { return s.status.is_object(); }, seconds{60}), "the agent reports its status");
    const auto report = session::make_report(*session, {});
    const auto problem = session::verdict(report);
    context.expect(!problem, "predicted, replayed and measured PCRs, appraisal, custody and traffic agree" + (problem ? ": " + *problem : ""));
    const auto net0 = std::ranges::find_if(report["vms"], [](const auto& vm) { return vm["name"] == "net0"; });
    context.expect(net0 != report["vms"].end() && (*net0)["starts"] == 2U, "and the status counts two starts");
}};

const Registration storm{"a-driver-vm-that-crashes-again-and-again-ends-in-quarantine", [](Context& context) {
    const Scratch scratch;
    const auto session = with_crashes(context, scratch, "net0", "cm.crash_at=boot");
    if (!session) return;
    const auto out = [](const Observation& s) { return s.find("quarantined", {{"device", nic}}) != nullptr; };
    if (!context.expect(session->run_until(out, seconds{500}), "the NIC is back in quarantine")) return;
    const Observation& seen = session->seen();
    const auto* draining = seen.find("draining", {{"device", nic}});
    context.expect(draining && draining->event.get("cause") == cause_restart_limit, "because net0 was restarted too often");
    context.expect(seen.find("quarantined", {{"device", nic}})->event.get("tainted") == "net0", "tainted by net0: it has no reset");
    const auto stops = all(seen, "vm_stopped", {{"vm", "net0"}, {"cause", cause_exited}, {"reason", reason_reset}});
    context.expect(stops.size() == restart_limit + 1, "which ended by a reset each time (" + std::to_string(stops.size()) + ")");
    context.expect(all(seen, "assigned", {{"device", nic}}).size() == restart_limit + 1 &&
                       all(seen, "grant_accepted", {{"device", nic}}).size() == 1,
                   "under one grant");
    const auto again = [](const Observation& s) { return all(s, "grant_accepted", {{"device", nic}}).size() == 2; };
    context.expect(session->run_until(again, seconds{120}), "only a new grant starts it again");
    context.expect(session->run_until([](const Observation& s) { return s.proofs.contains("disk"); }, seconds{240}), "disk0 finishes its work");
    context.expect(seen.find("vm_stopped", {{"vm", "disk0"}}) == nullptr, "and did not notice");
    expect_proved(context, *session);
}};

const Registration agent{"an-agent-vm-that-panics-comes-back-and-no-lease-is-lost", [](Context& context) {
    const Scratch scratch;
    const auto session = with_crashes(context, scratch, "agent", "cm.crash_after=100");
    if (!session) return;
    context.expect(session->run_until(both_assigned, seconds{95}), "both devices are handed over");
    if (!context.expect(session->run_until([](const Observation& s) { return s.find("vm_started", {{"vm", "agent"}, {"start", "2"}}); }, seconds{200}),
                        "the agent VM ends and is started again"))
        return;
    const Observation& seen = session->seen();
    const auto* stopped = seen.find("vm_stopped", {{"vm", "agent"}});
    context.expect(stopped && stopped->event.get("cause") == cause_exited && stopped->event.get("reason") == reason_reset,
                   "it had panicked, which ends by a reset");
    expect_proved(context, *session);
    context.expect(session->run_until(both_proved, seconds{300}), "both driver VMs finish their work");
    context.expect(seen.count("draining") == 0 && seen.count("grant_accepted") == 2, "under the leases that they had");
}};

} // namespace

} // namespace casemate::platform_test
