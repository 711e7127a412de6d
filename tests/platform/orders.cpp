// SPDX-License-Identifier: Apache-2.0
// An operator's orders, from the session's socket to the hypervisor and back: stop, start and restart of driver VMs under their
// grants, with the ledger proving it.
#include "dlaunch/session/report.hpp"
#include "tests/platform/operator.hpp"

namespace casemate::platform_test {

namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* cause_operator = "6"; // docs/interfaces/ledger.md
constexpr const char* nic = "00:03.0";
constexpr const char* disk = "00:04.0";

std::ptrdiff_t count(const Observation& seen, std::string_view name, const session::Fields& fields) {
    return std::ranges::count_if(seen.events, [&](const auto& each) {
        return each.event.name == name && std::ranges::all_of(fields, [&](const auto& f) { return each.event.get(f.first) == f.second; });
    });
}

std::ptrdiff_t lines(const Observation& seen, const std::string& text) {
    return std::ranges::count_if(seen.lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

json device_of(const json& status, const char* location) {
    for (const json& device : status["status"]["devices"])
        if (device["location"] == location) return device;
    return nullptr;
}

json vm_of(const json& status, const char* name) {
    for (const json& vm : status["status"]["vms"])
        if (vm["name"] == name) return vm;
    return nullptr;
}

void expect_refusals(Context& context, Session& session, const std::filesystem::path& directory) {
    const std::string no_driver = "only driver VMs take orders, not the agent or a client";
    for (const char* what : {"stop", "restart"})
        context.expect(order(session, directory, what, "agent") == no_driver, std::string{"the agent takes no order to "} + what);
    context.expect(order(session, directory, "stop", "net1") == "there is no VM of this name", "an unknown VM is refused");
    context.expect(order(session, directory, "start", "net0").starts_with("the VM is not in a state for this order"), "a VM that runs is not started");
}

const Registration orders{"an-operator-stops-starts-and-restarts-driver-vms-under-their-grants", [](Context& context) {
    const Scratch scratch;
    SessionConfig config = standard(context);
    const auto directory = config.operator_directory = scratch.path() / "operators";
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    if (!context.expect(session->run_until(both_proved, seconds{300}), "both drivers have moved their data")) return;
    expect_refusals(context, *session, directory);

    context.expect(order(*session, directory, "stop", "disk0").empty(), "the order to stop disk0 is accepted");
    const auto reset = [](const Observation& s) { return count(s, "device_reset", {{"device", disk}}) >= 2; };
    context.expect(session->run_until(reset, seconds{30}), "its disk is reset");
    context.expect(count(seen, "vm_stopped", {{"vm", "disk0"}, {"cause", cause_operator}}) > 0, "the ledger says: stopped by the operator");
    const std::string again = order(*session, directory, "stop", "disk0");
    context.expect(again.starts_with("the VM is not in a state for this order"), "a second order to stop it is refused: " + again);
    (void)session->run_until([](const Observation&) { return false; }, seconds{40}); // past half of a lease: it is renewed meanwhile
    json status;
    context.expect(answer(*session, directory, {{"do", "status"}}, &status).empty(), "the session reports");
    context.expect(count(seen, "vm_started", {{"vm", "disk0"}, {"start", "2"}}) == 0 && vm_of(status, "disk0")["state"] != "running", "disk0 stays stopped");
    const json waiting = device_of(status, disk);
    context.expect(waiting["state"] == "waiting" && waiting["lease_ms_left"] > 10'000, "its disk waits under a lease that is kept up: " + waiting.dump());
    context.expect(vm_of(status, "net0")["state"] == "running" && count(seen, "vm_stopped", {{"vm", "net0"}}) == 0, "net0 goes on");

    context.expect(order(*session, directory, "start", "disk0").empty(), "the order to start disk0 is accepted");
    const auto disk_works = [](const Observation& s) { return lines(s, "CM_PROOF disk") >= 2; };
    context.expect(session->run_until(disk_works, seconds{240}), "disk0 moves its data again");
    context.expect(order(*session, directory, "restart", "net0").empty(), "the order to restart net0 is accepted");
    const auto net_works = [](const Observation& s) { return lines(s, "CM_PROOF net") >= 2; };
    context.expect(session->run_until(net_works, seconds{240}), "net0 moves its data again");
    context.expect(lines(seen, "error=\"") == 0, "all without an error");
    context.expect(count(seen, "assigned", {{"device", disk}}) == 2 && count(seen, "assigned", {{"device", nic}}) == 2, "each device was assigned twice");
    context.expect(seen.count("grant_accepted") == 2 && seen.count("draining") == 0, "under the grants of the beginning");
    context.expect(session->run_until([&](const Observation&) { return session::last_log_is_current(*session); }, seconds{120}),
                   "the newest evidence covers the whole ledger");
    context.expect(newest_reasons(*session).contains("affirming"), "and the verifier affirms it");
}};

} // namespace

} // namespace casemate::platform_test
