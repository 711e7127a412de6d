// SPDX-License-Identifier: Apache-2.0
// Sealed secrets end to end: sealed by the owner to VMs on this platform, carried by an agent that cannot open them, released by the
// TPM to the hypervisor, read once by the VM. What the VM has is known by its check value.
#include "dlaunch/session/sealing.hpp"
#include "tests/platform/operator.hpp"
#include "tests/platform/secret_proof.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace casemate::platform_test {

namespace {

using session::SecretFor;
using std::chrono::seconds;

constexpr const char* error_vm = "3"; // secret.md: the policy gives it no secret of this name
constexpr const char* error_authorize = "24"; // control.md: 16 + the step PolicyAuthorize

const std::string volume_key = "0123456789 a key for the volume.", tunnel_key = "another key, for a tunnel to home";

std::ptrdiff_t lines(const Observation& seen, const std::string& text) {
    return std::ranges::count_if(seen.lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

bool has_event(const Observation& seen, const session::Fields& fields) {
    return std::ranges::any_of(seen.events, [&](const auto& each) {
        return each.event.name == "secret" && std::ranges::all_of(fields, [&](const auto& f) { return each.event.get(f.first) == f.second; });
    });
}

/// The build's policy with driver VMs that wait for a secret each and move no data.
std::filesystem::path policy_that_waits(const Context& context, const Scratch& scratch) {
    const std::string before = "command_line = \"console=ttyS0 quiet panic=-1";
    const auto waits = [&](const char* image, const char* parameter) {
        const std::string line = std::string{"initrd = \""} + image + "\"\n" + before;
        return std::pair{line, line + parameter};
    };
    return changed_policy(context, scratch, {waits("net0.img", " cm.net_mb=0 cm.secrets=1"), waits("disk0.img", " cm.disk_mb=0 cm.secrets=1"),
                                             {"secrets = [\"tunnel-key\"]", "secrets = [\"tunnel-key\", \"stolen\"]"}});
}

std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

const Registration secrets{"secrets-reach-the-driver-vms-that-they-are-sealed-to-again-after-a-restart-and-nobody-else", [](Context& context) {
    const Scratch scratch;
    SessionConfig config = standard(context);
    const auto policy = policy_that_waits(context, scratch);
    config.reference = reference_for(context, scratch, policy, config.artefacts.images());
    if (!context.expect(!config.reference.empty(), "the policy compiles and is predicted")) return;
    config.replaced["policy.cbor"] = policy;
    const auto directory = config.operator_directory = scratch.path() / "operators";
    config.secrets = {{.vm = "disk0", .name = "volume-key", .value = bytes_of(volume_key)},
                      {.vm = "net0", .name = "stolen", .value = bytes_of(volume_key), .approved_vm = "disk0"},
                      {.vm = "net0", .name = "unlisted", .value = bytes_of(tunnel_key)},
                      {.vm = "net0", .name = "tunnel-key", .value = bytes_of(tunnel_key)}};
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    const std::string volume = proof_of("volume-key", volume_key), tunnel = proof_of("tunnel-key", tunnel_key);
    const auto both_have = [&](const Observation& s) { return lines(s, "disk0] " + volume) >= 1 && lines(s, "net0] " + tunnel) >= 1; };
    context.expect(session->run_until(both_have, seconds{300}), "each driver VM has its own secret");
    context.expect(has_event(seen, {{"vm", "net0"}, {"name", "stolen"}, {"error", error_authorize}}),
                   "a secret for net0 that is approved for disk0's image only is refused by the TPM");
    context.expect(lines(seen, "event=secret vm=\"net0\" name=\"unlisted\" error=" + std::string{error_vm}) >= 1,
                   "a secret that the policy does not name is refused before the TPM is asked");

    context.expect(order(*session, directory, "restart", "disk0").empty(), "the order to restart disk0 is accepted");
    const auto again = [&](const Observation& s) { return lines(s, "disk0] " + volume) >= 2; };
    context.expect(session->run_until(again, seconds{120}), "after its restart disk0 has its secret again");
    const auto attested = [&](const Observation&) { return newest_reasons(*session) == std::set<std::string>{"affirming"}; };
    context.expect(session->run_until(attested, seconds{60}), "the ledger with the releases is affirmed");
    const std::string console = text_of(context.log());
    context.expect(!console.empty() && console.find(volume_key) == std::string::npos && console.find(tunnel_key) == std::string::npos,
                   "no console line shows a secret");
}};

} // namespace

} // namespace casemate::platform_test
