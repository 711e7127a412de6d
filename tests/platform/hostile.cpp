// SPDX-License-Identifier: Apache-2.0
// Hostile VMs beside the ordinary ones: each ends with its own reason (or is preempted for ever), and the driver VMs' work goes on.
#include "tests/platform/fixture.hpp"

#include <fstream>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

struct Guest {
    const char* file; // in bin/guests, without .img
    const char* cause; // docs/interfaces/ledger.md; empty: it never ends
    const char* reason; // hypervisor/core/stop_reason.hpp
};

constexpr Guest guests[] = {
    {"control_registers", "3", "11"}, {"device_code", "3", "14"},     {"device_operation", "3", "13"},
    {"instructions", "4", "1"},      {"msrs", "4", "1"},             {"triple_fault", "3", "10"},
    {"unmapped_code", "3", "12"},    {"unmapped_memory", "3", "12"}, {"unmapped_tables", "3", "12"},
    {"unmapped_tpm", "3", "12"},     {"reset", "4", "2"},            {"spin", "", ""},
};

std::string vm_name(const Guest& guest) {
    std::string name = guest.file;
    std::replace(name.begin(), name.end(), '_', '-');
    return name.substr(0, 15);
}

/// Policy text of the guests: clients on net0's core, so that they compete with it.
std::string definitions() {
    std::string text;
    for (const Guest& guest : guests) {
        text += "[[vm]]\nname = \"" + vm_name(guest) + "\"\nrole = \"client\"\nkernel = \"" + guest.file +
                ".img\"\ninitrd = \"net0.img\"\ncommand_line = \"quiet\"\nmemory_mib = 16\ncore = 1\nplacement = \"shared\"\n\n";
    }
    return text;
}

/// All images of the build and the guests in one folder, for the predictor.
fs::path image_folder(const session::Artefacts& built, const Scratch& scratch) {
    const fs::path folder = scratch.path() / "images";
    fs::create_directory(folder);
    for (const auto& file : fs::directory_iterator{built.images()})
        fs::create_symlink(file.path(), folder / file.path().filename());
    for (const Guest& guest : guests) {
        const std::string name = std::string{guest.file} + ".img";
        fs::create_symlink(built.program("guests") / name, folder / name);
    }
    return folder;
}

void expect_endings(Context& context, const Observation& seen) {
    for (const Guest& guest : guests) {
        const std::string name = vm_name(guest);
        const auto* stopped = seen.find("vm_stopped", {{"vm", name}});
        if (*guest.cause == '\0') {
            context.expect(stopped == nullptr, name + " goes on, preempted");
            continue;
        }
        const bool as_expected = stopped != nullptr && stopped->event.get("cause") == guest.cause &&
                                 stopped->event.get("reason") == guest.reason;
        context.expect(as_expected, name + " ends with cause " + guest.cause + ", reason " + guest.reason +
                                        (stopped ? " (it was " + stopped->event.get("cause") + ", " +
                                                       stopped->event.get("reason") + ")"
                                                 : " (it has not ended)"));
    }
}

const Registration hostile{"hostile-vms-end-with-their-reason-and-the-driver-vms-work-on", [](Context& context) {
    const Scratch scratch;
    const session::Artefacts built{context.build()};
    const fs::path images = image_folder(built, scratch);
    const fs::path policy = changed_policy(context, scratch, {{"# e1000e:", definitions() + "# e1000e:"}});
    const fs::path reference = policy.empty() ? fs::path{} : reference_for(context, scratch, policy, images);
    if (!context.expect(!reference.empty(), "a policy with hostile VMs compiles and is predicted")) return;

    SessionConfig config = standard(context);
    config.replaced["policy.cbor"] = policy;
    config.reference = reference;
    for (const Guest& guest : guests) {
        const std::string name = std::string{guest.file} + ".img";
        config.replaced[name] = images / name;
    }
    const auto session = begin(context, std::move(config));
    if (!session) return;
    context.expect(session->run_until(both_assigned, seconds{300}), "both devices are handed over");
    context.expect(session->run_until(both_proved, seconds{500}), "both driver VMs prove their device");
    expect_endings(context, session->seen());
    context.expect(session->seen().ending.empty(), "the hypervisor runs on");
}};

} // namespace

} // namespace casemate::platform_test
