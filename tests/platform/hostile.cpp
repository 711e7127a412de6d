// SPDX-License-Identifier: Apache-2.0
// Hostile VMs beside the ordinary ones, on the network driver VM's core: each ends with its own reason (or is preempted for
// ever), and everybody else's work goes on. All of tests/guests/tiny that attack
// something: a launch has 16 images, four of which are the ordinary VMs'.
#include "dlaunch/session/report.hpp"
#include "tests/platform/fixture.hpp"

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

struct Guest {
    const char* file;   // in bin/guests, without .img
    const char* cause;  // docs/interfaces/ledger.md; empty: it never ends
    const char* reason; // hypervisor/core/stop_reason.hpp
};

constexpr Guest guests[] = {
    {"control_registers", "3", "11"}, {"device_code", "3", "14"},   {"device_operation", "3", "13"},
    {"instructions", "4", "1"},       {"msrs", "4", "1"},           {"ports", "4", "1"},
    {"triple_fault", "3", "10"},      {"unmapped_code", "3", "12"}, {"unmapped_memory", "3", "12"},
    {"unmapped_tables", "3", "12"},   {"unmapped_tpm", "3", "12"},  {"restore_fpu", "", ""},
};

std::string image_name(const Guest& guest) { return std::string{guest.file} + ".img"; }

std::string vm_name(const Guest& guest) {
    std::string name = guest.file;
    std::replace(name.begin(), name.end(), '_', '-');
    return name.substr(0, 15);
}

/// Policy text of the guests: clients on net0's core, so that they compete with it.
std::string definitions() {
    std::string text;
    for (const Guest& guest : guests) {
        text += "[[vm]]\nname = \"" + vm_name(guest) + "\"\nrole = \"client\"\nkernel = \"" + image_name(guest) +
                "\"\ninitrd = \"net0.img\"\ncommand_line = \"quiet\"\nmemory_mib = 24\ncore = 1\nplacement = \"shared\"\n\n";
    }
    return text;
}

bool all_ended(const Observation& seen) {
    return std::ranges::all_of(guests, [&](const Guest& guest) {
        return *guest.cause == '\0' || seen.find("vm_stopped", {{"vm", vm_name(guest)}}) != nullptr;
    });
}

void expect_endings(Context& context, const Observation& seen) {
    for (const Guest& guest : guests) {
        const std::string name = vm_name(guest);
        const auto* stopped = seen.find("vm_stopped", {{"vm", name}});
        const std::string was =
            stopped ? stopped->event.get("cause") + ", " + stopped->event.get("reason") : "not ended";
        if (*guest.cause == '\0')
            context.expect(stopped == nullptr && seen.find("vm_started", {{"vm", name}}) != nullptr,
                           name + " goes on, preempted (it is " + was + ")");
        else
            context.expect(was == std::string{guest.cause} + ", " + guest.reason,
                           name + " ends with cause " + guest.cause + ", reason " + guest.reason + " (it is " + was + ")");
    }
}

void expect_others_go_on(Context& context, const Session& session) {
    const Observation& seen = session.seen();
    for (const char* vm : {"agent", "net0", "disk0"}) {
        const auto* stopped = seen.find("vm_stopped", {{"vm", vm}});
        context.expect(stopped == nullptr,
                       std::string{vm} + " goes on" + (stopped ? " (ended at " + stopped->event.get("rip") + ", exit " + stopped->event.get("exit") + ")" : ""));
    }
    context.expect(seen.ending.empty(), "the hypervisor runs on " + seen.ending);
}

const Registration hostile{"hostile-vms-end-with-their-reason-and-the-driver-vms-work-on", [](Context& context) {
    const Scratch scratch;
    const session::Artefacts built{context.build()};
    std::vector<std::string> files;
    for (const Guest& guest : guests) files.push_back(image_name(guest));
    const fs::path images = images_with_guests(scratch, built, files);
    const fs::path policy = changed_policy(
        context, scratch,
        {{"initrd = \"disk0.img\"\ncommand_line = \"", "initrd = \"disk0.img\"\ncommand_line = \"cm.disk_mb=64 "},
         {"# e1000e:", definitions() + "# e1000e:"}});
    const fs::path reference = policy.empty() ? fs::path{} : reference_for(context, scratch, policy, images);
    if (!context.expect(!reference.empty(), "a policy with hostile VMs compiles and is predicted")) return;

    SessionConfig config = standard(context);
    config.replaced["policy.cbor"] = policy;
    config.reference = reference;
    for (const Guest& guest : guests) config.replaced[image_name(guest)] = images / image_name(guest);
    const auto session = begin(context, std::move(config));
    if (!session) return;
    context.expect(session->run_until(both_assigned, seconds{300}), "both devices are handed over");
    context.expect(session->run_until(both_proved, seconds{400}), "both driver VMs prove their device");
    context.expect(session->run_until(all_ended, seconds{200}), "every guest that can end has ended");
    expect_endings(context, session->seen());
    expect_others_go_on(context, *session);

    // The agent still works: it carries evidence of all that, and its status.
    context.expect(session->run_until([&](const Observation&) { return session::last_log_is_current(*session); }, seconds{120}) &&
                       session->run_until([](const Observation& s) { return s.status.is_object(); }, seconds{60}),
                   "the agent reports evidence of every ending, and its status");
    const auto problem = session::verdict(session::make_report(*session, {}));
    context.expect(!problem, "predicted, replayed and measured PCRs, appraisal, custody and traffic agree" +
                                 (problem ? ": " + *problem : ""));
}};

} // namespace

} // namespace casemate::platform_test
