// SPDX-License-Identifier: Apache-2.0
// VMs that end by themselves or hang: restarted under the same grant, with nobody asked; too often, and they are out.
#include "dlaunch/session/report.hpp"
#include "tests/platform/fixture.hpp"

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// docs/interfaces/ledger.md; hypervisor/core/stop_reason.hpp
constexpr const char* cause_exited = "4";
constexpr const char* cause_hung = "5";
constexpr const char* reason_reset = "2";
constexpr const char* reason_watchdog = "18";
constexpr const char* cause_restart_limit = "8";
constexpr std::size_t restart_limit = 5; // hypervisor/custody/records.hpp

constexpr const char* nic = "00:03.0";
constexpr const char* disk = "00:04.0";

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

struct Crash {
    std::string vm;
    std::string arguments; // drivervms/image/common.sh
};

/// A session whose VMs crash as they are told.
std::unique_ptr<Session> with_crashes(Context& context, const Scratch& scratch, const std::vector<Crash>& crashes) {
    const session::Artefacts built{context.build()};
    std::vector<std::pair<std::string, std::string>> changes;
    for (const Crash& crash : crashes) {
        const std::string line = "initrd = \"" + crash.vm + ".img\"\ncommand_line = \"";
        changes.emplace_back(line, line + crash.arguments + " ");
    }
    const fs::path policy = changed_policy(context, scratch, changes);
    const fs::path reference = policy.empty() ? fs::path{} : reference_for(context, scratch, policy, built.images());
    if (!context.expect(!reference.empty(), "a policy whose VMs crash compiles and is predicted")) return nullptr;
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

void expect_end(Context& context, const Observation& seen, const std::string& vm, const char* cause, const char* reason) {
    const auto* stopped = seen.find("vm_stopped", {{"vm", vm}});
    const std::string was = stopped ? stopped->event.get("cause") + ", " + stopped->event.get("reason") : "it goes on";
    context.expect(was == std::string{cause} + ", " + reason, vm + " ends with cause " + cause + ", reason " + reason + " (" + was + ")");
}

/// It went on from the snapshot that the ledger recorded, once, before.
void expect_warm(Context& context, const Observation& seen, const std::string& vm) {
    const auto taken = all(seen, "snapshot_taken", {{"vm", vm}});
    const auto* back = seen.find("vm_started", {{"vm", vm}, {"start", "2"}});
    context.expect(taken.size() == 1 && back && back->event.get("warm") == "1", vm + " goes on from its only snapshot");
    const auto* stopped = seen.find("vm_stopped", {{"vm", vm}});
    if (!stopped || !back) return;
    std::printf("  %s was away for %lld ms\n", vm.c_str(),
                static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(back->when - stopped->when).count()));
}

/// What came back did so under the grant that it had.
void expect_same_grant(Context& context, const Observation& seen, const char* device) {
    const auto assigned = all(seen, "assigned", {{"device", device}});
    const bool same = assigned.size() >= 2 && !assigned[0]->get("grant").empty() &&
                      std::ranges::all_of(assigned, [&](const auto* each) { return each->get("grant") == assigned[0]->get("grant"); });
    context.expect(same, std::string{device} + " is assigned again under the same grant (" + std::to_string(assigned.size()) + " times)");
}

// They run for more than a minute before they crash, so that each restart is the first again.
const Registration restarted{"driver-vms-that-panic-or-hang-are-restarted-under-their-grants-and-work-again", [](Context& context) {
    const Scratch scratch;
    const auto session = with_crashes(context, scratch, {{"net0", "cm.net_mb=16 cm.crash_after=75"},
                                                         {"disk0", "cm.disk_mb=64 cm.crash_after=60 cm.crash_by=hang cm.watchdog=20"}});
    if (!session) return;
    const auto again = [](const char* vm) {
        return [vm](const Observation& s) { return s.find("vm_started", {{"vm", vm}, {"start", "2"}}) != nullptr; };
    };
    for (const char* vm : {"net0", "disk0"})
        if (!context.expect(session->run_until(again(vm), seconds{300}), std::string{vm} + " ends and is started again")) return;
    const Observation& seen = session->seen();
    expect_end(context, seen, "net0", cause_exited, reason_reset);
    expect_end(context, seen, "disk0", cause_hung, reason_watchdog);
    expect_warm(context, seen, "net0");
    expect_warm(context, seen, "disk0");
    const auto moved = [](const Observation& s) { return lines(s, "CM_PROOF net") >= 2 && lines(s, "CM_PROOF disk") >= 2; };
    context.expect(session->run_until(moved, seconds{400}), "both drivers move their data again");
    context.expect(lines(seen, "error=\"") == 0, "and without an error");
    expect_same_grant(context, seen, nic);
    expect_same_grant(context, seen, disk);
    context.expect(seen.count("grant_accepted") == 2 && seen.count("draining") == 0, "nobody was asked, no lease was lost");
    context.expect(session->run_until([](const Observation& s) { return s.status.is_object(); }, seconds{60}), "the agent reports its status");
    expect_proved(context, *session);
}};

// Whether its leases outlast that is a matter of how fast the machine is, and not looked at.
const Registration agent{"an-agent-vm-that-panics-comes-back-and-the-platform-is-attested-again", [](Context& context) {
    const Scratch scratch;
    const auto session = with_crashes(context, scratch, {{"agent", "cm.crash_after=45"}, {"net0", "cm.net_mb=0"}, {"disk0", "cm.disk_mb=0"}});
    if (!session) return;
    const auto back = [](const Observation& s) { return s.find("vm_started", {{"vm", "agent"}, {"start", "2"}}) != nullptr; };
    context.expect(session->run_until(both_assigned, seconds{300}), "both devices are handed over");
    if (!context.expect(session->run_until(back, seconds{200}), "the agent VM ends and is started again")) return;
    expect_end(context, session->seen(), "agent", cause_exited, reason_reset);
    const auto affirmed = lines(session->seen(), "verdict=\"affirming\"");
    context.expect(session->run_until([&](const Observation& s) { return lines(s, "verdict=\"affirming\"") > affirmed; }, seconds{200}),
                   "and brings evidence that is affirmed");
    expect_proved(context, *session);
}};

const Registration storm{"a-driver-vm-that-crashes-again-and-again-ends-in-quarantine", [](Context& context) {
    const Scratch scratch;
    const auto session = with_crashes(context, scratch, {{"net0", "cm.crash_after=0"}, {"disk0", "cm.disk_mb=64"}});
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

} // namespace

} // namespace casemate::platform_test
