// SPDX-License-Identifier: Apache-2.0
// Where VMs run is the policy's word: a machine that cannot keep it runs none of them.
// A driver VM with a core for itself (docs/adr/0018): where the processor has x2APIC it takes its interrupts without exits, and the core must
// come back from it all the same, whatever it does. On a processor without x2APIC the same has to hold, with exits.
#include "dlaunch/model/emulator.hpp"
#include "dlaunch/session/report.hpp"
#include "tests/platform/operator.hpp"

namespace casemate::platform_test {

namespace {

using std::chrono::seconds;

constexpr const char* nic = "00:03.0";
constexpr const char* cause_hung = "5"; // docs/interfaces/ledger.md
constexpr const char* cause_operator = "6";

std::ptrdiff_t lines(const Observation& seen, const std::string& text) {
    return std::ranges::count_if(seen.lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

const std::pair<std::string, std::string> own_core = {"core = 1\nplacement = \"shared\"", "core = 1\nplacement = \"dedicated\""};

const char* expected_direct() { return model::emulator().has_x2apic() ? "1" : "0"; }

/// net0 with core 1 for itself, and a kernel that stands still, interrupts off, 25 s after its driver has found the NIC.
std::filesystem::path policy_with_dedicated_core(const Context& context, const Scratch& scratch) {
    const std::string before = "initrd = \"net0.img\"\ncommand_line = \"";
    return changed_policy(context, scratch, {{before, before + "cm.net_mb=16 cm.crash_after=25 cm.crash_by=hang cm.watchdog=15 "},
                                             own_core});
}

const Registration dedicated{"a-driver-vm-with-a-core-for-itself-hangs-restarts-works-again-and-stops", [](Context& context) {
    const Scratch scratch;
    const session::Artefacts built{context.build()};
    SessionConfig config = standard(context);
    const auto policy = config.replaced["policy.cbor"] = policy_with_dedicated_core(context, scratch);
    config.reference = reference_for(context, scratch, policy, built.images());
    const auto directory = config.operator_directory = scratch.path() / "operators";
    if (!context.expect(!config.reference.empty(), "a policy with a dedicated core compiles and is predicted")) return;
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    const std::string direct = expected_direct();
    const auto started = [&](const char* start) {
        return [start](const Observation& s) { return s.find("vm_started", {{"vm", "net0"}, {"start", start}}) != nullptr; };
    };
    if (!context.expect(session->run_until(started("1"), seconds{300}), "net0 starts")) return;
    if (!context.expect(session->run_until(started("2"), seconds{300}), "it hangs, and starts again")) return;
    for (const char* start : {"1", "2"})
        context.expect(seen.find("vm_started", {{"vm", "net0"}, {"start", start}})->event.get("direct") == direct,
                       std::string{"start "} + start + (direct == "1" ? ": without exits for interrupts" : ": as on a shared core"));
    context.expect(seen.find("vm_stopped", {{"vm", "net0"}})->event.get("cause") == cause_hung, "its watchdog has run out");
    context.expect(seen.find("vm_started", {{"vm", "net0"}, {"start", "2"}})->event.get("warm") == "1", "it went on from its snapshot");
    context.expect(session->run_until([](const Observation& s) { return lines(s, "CM_PROOF net") >= 2; }, seconds{200}), "it moves its data again");
    context.expect(lines(seen, "error=\"") == 0, "without an error");
    context.expect(order(*session, directory, "stop", "net0").empty(), "the order to stop it is accepted");
    const auto stopped = [](const Observation& s) { return s.find("vm_stopped", {{"vm", "net0"}, {"cause", cause_operator}}) != nullptr; };
    context.expect(session->run_until(stopped, seconds{30}), "and obeyed");
    context.expect(seen.count("draining") == 0 && seen.find("grant_accepted", {{"device", nic}}) != nullptr, "all under one grant");
    context.expect(session->run_until([&](const Observation&) { return session::last_log_is_current(*session); }, seconds{120}),
                   "the newest evidence covers the whole ledger");
    context.expect(newest_reasons(*session).contains("affirming"), "and the verifier affirms it");
}};

const Registration missing_core{"a-policy-for-more-cores-than-the-machine-has-is-not-launched", [](Context& context) {
    SessionConfig config = standard(context);
    config.processors = 1;
    const auto session = begin(context, std::move(config));
    if (!session) return;
    session->run_until([](const Observation& s) { return s.count("launch_failure") > 0; }, seconds{120});
    const Observation& seen = session->seen();
    context.expect(seen.find("vm_refused", {{"vm", "net0"}, {"why", "core_missing"}}) != nullptr,
                   "the hypervisor names the VM whose core is missing");
    context.expect(seen.count("launch_failure") > 0, "the launch stops with a number");
    context.expect(seen.count("vm_started") == 0, "no VM runs");
    expect_no_hand_over(context, *session);
}};

/// `what` an operator orders, and the hypervisor says within half a minute that it has happened.
void expect_order(Context& context, Session& session, const std::filesystem::path& operators, const char* what, const char* event, const session::Fields& fields) {
    const std::string refused = order(session, operators, what, "net0");
    context.expect(refused.empty(), std::string{"the order to "} + what + " it is accepted " + refused);
    context.expect(session.run_until([&](const Observation& s) { return s.find(event, fields) != nullptr; }, seconds{30}), "  and obeyed");
}

const Registration kept{"a-guest-that-does-all-it-can-to-keep-its-core-loses-it", [](Context& context) {
    const Scratch scratch;
    const session::Artefacts built{context.build()};
    SessionConfig config = standard(context);
    const auto images = images_with_guests(scratch, built, {"hold_core.img"});
    const auto policy = changed_policy(context, scratch, {{"kernel = \"vmlinuz\"\ninitrd = \"net0.img\"", "kernel = \"hold_core.img\"\ninitrd = \"net0.img\""}, own_core});
    config.replaced["policy.cbor"] = policy;
    config.replaced["hold_core.img"] = images / "hold_core.img";
    config.reference = reference_for(context, scratch, policy, images);
    const auto operators = config.operator_directory = scratch.path() / "operators";
    if (!context.expect(!config.reference.empty(), "the policy compiles and is predicted")) return;
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    if (!context.expect(session->run_until([](const Observation& s) { return lines(s, "[net0] holding") == 1; }, seconds{300}), "it holds its core")) return;
    context.expect(seen.find("vm_started", {{"vm", "net0"}})->event.get("direct") == expected_direct(), "which has interrupts of its own only");
    expect_order(context, *session, operators, "restart", "vm_started", {{"vm", "net0"}, {"start", "2"}});
    context.expect(session->run_until([](const Observation& s) { return lines(s, "[net0] holding") == 2; }, seconds{30}), "it holds the core again");
    expect_order(context, *session, operators, "stop", "vm_stopped", {{"vm", "net0"}, {"cause", cause_operator}});
    context.expect(lines(seen, "FAILED") == 0, "every processor state that it met was the expected one");
    context.expect(seen.find("vm_stopped", {{"vm", "agent"}}) == nullptr && seen.ending.empty(), "nobody else ended " + seen.ending);
    context.expect(session->run_until([&](const Observation&) { return session::last_log_is_current(*session); }, seconds{120}),
                   "the newest evidence covers the whole ledger");
    context.expect(newest_reasons(*session).contains("affirming"), "and the verifier affirms it");
}};

} // namespace

} // namespace casemate::platform_test
