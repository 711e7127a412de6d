// SPDX-License-Identifier: Apache-2.0
// The bootstrap lease on the whole platform (docs/adr/0029): a NIC that is granted before the verifier has looked, confirmed by evidence or
// taken back; and the platform without a management UART, whose evidence goes to the verifier over that NIC.
#include "dlaunch/session/policy_variant.hpp"
#include "tests/platform/fixture.hpp"
#include "tests/platform/secret_proof.hpp"

#include <algorithm>
#include <fstream>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* nic = "00:03.0";
constexpr const char* disk = "00:04.0";
const session::BootstrapFor wish{.vm = "net0", .device = "0000:00:03.0"};
constexpr const char* lease_expired = "1"; // ledger.md, cause
constexpr const char* revoked = "2";
constexpr const char* by_operator = "6";
const std::string volume_key = "0123456789 a key for the volume.";

/// net0 moves no data, and its NIC may be had for so long before anybody has looked. A busy machine takes its time to boot net0 and to attest.
session::Changes quiet_nic(unsigned lease = 240) {
    const std::string line = "command_line = \"console=ttyS0 quiet panic=-1";
    return {{"initrd = \"net0.img\"\n" + line, "initrd = \"net0.img\"\n" + line + " cm.net_mb=0"},
            {"initrd = \"disk0.img\"\n" + line, "initrd = \"disk0.img\"\n" + line + " cm.disk_mb=0"},
            {"max_lease = 60", "max_lease = 300\nbootstrap_lease = " + std::to_string(lease)}};
}

/// And the agent's only road is over it, and disk0 waits for its secret.
session::Changes road_over_nic() {
    session::Changes changes = quiet_nic();
    changes.push_back({"initrd = \"agent.img\"\ncommand_line = \"console=ttyS0 quiet panic=-1",
                       "initrd = \"agent-net.img\"\ncommand_line = \"console=ttyS0 quiet panic=-1 cm.verifier_at=10.0.2.100:8443 cm.agent_address=10.0.2.60/24"});
    changes.push_back({"cm.disk_mb=0", "cm.disk_mb=0 cm.secrets=1"});
    return changes;
}

SessionConfig bootstrapped(Context& context, const Scratch& scratch, const session::Changes& changes, const std::string& more = {}) {
    SessionConfig config = standard(context);
    const auto source = session::changed_source(config.artefacts, changes);
    const auto policy = source.ok() ? session::compile_policy(config.artefacts, scratch.path(), source.value() + more) : model::Outcome<fs::path>{Failure{source.error()}};
    if (!policy.ok()) std::printf("  %s\n", policy.error().text.c_str());
    if (policy.ok()) config.reference = reference_for(context, scratch, policy.value(), config.artefacts.images());
    context.expect(!config.reference.empty(), "the policy compiles and is predicted");
    if (policy.ok()) config.replaced["policy.cbor"] = policy.value();
    config.bootstrap = wish;
    return config;
}

/// The place of the first such event among all; none: past the end.
std::size_t place(const Observation& seen, std::string_view name, const session::Fields& fields) {
    const auto found = std::ranges::find_if(seen.events, [&](const auto& each) {
        return each.event.name == name && std::ranges::all_of(fields, [&](const auto& f) { return each.event.get(f.first) == f.second; });
    });
    return static_cast<std::size_t>(found - seen.events.begin());
}

void expect_confirmed(Context& context, const Observation& seen) {
    const std::size_t taken = place(seen, "bootstrap_accepted", {{"device", nic}, {"vm", "net0"}}), started = place(seen, "vm_started", {{"vm", "net0"}});
    const std::size_t confirmed = place(seen, "grant_accepted", {{"device", nic}, {"vm", "net0"}});
    context.expect(taken < started && started < confirmed && confirmed < seen.events.size(), "the NIC is taken by the bootstrap grant, net0 starts, and then a grant confirms it");
    context.expect(seen.count("bootstrap_accepted") == 1, "there is one bootstrap grant");
    context.expect(seen.find("draining") == nullptr && seen.find("vm_stopped", {{"vm", "net0"}}) == nullptr, "net0 goes on all the while");
    const std::size_t disk_granted = place(seen, "grant_accepted", {{"device", disk}});
    context.expect(taken < disk_granted && disk_granted < seen.events.size(), "disk0 gets its device by an ordinary grant");
}

bool audited(const Session& session, const std::string& words) {
    const auto rows = session.tell_verifier("/v1/audit/search", {{"words", words}});
    return rows.is_object() && !rows.value("audit", nlohmann::json::array()).empty();
}

const Registration confirmed{"a-nic-is-granted-before-the-verifier-has-looked-and-confirmed-by-evidence", [](Context& context) {
    const Scratch scratch;
    const auto session = begin(context, bootstrapped(context, scratch, quiet_nic()));
    if (!session) return;
    const Observation& seen = session->seen();
    const auto both = [](const Observation& s) { return s.find("grant_accepted", {{"device", nic}}) && s.find("assigned", {{"device", disk}}); };
    context.expect(session->run_until(both, seconds{300}), "the NIC is confirmed and the disk is handed over");
    expect_confirmed(context, seen);
    context.expect(audited(*session, "confirms bootstrap grant"), "the verifier's trail tells which bootstrap grant was confirmed");
    (void)session->run_until([](const Observation&) { return false; }, seconds{75}); // past the lease of the grant that confirmed it
    context.expect(seen.find("lease_lapsed") == nullptr && seen.find("draining") == nullptr, "its lease is renewed as any other");
    context.expect(newest_reasons(*session) == std::set<std::string>{"affirming"}, "the ledger with the bootstrap grant is affirmed");
}};

const Registration withdrawn{"a-nic-whose-bootstrap-grant-was-withdrawn-is-taken-back-with-the-first-evidence", [](Context& context) {
    const Scratch scratch;
    const auto session = begin(context, bootstrapped(context, scratch, quiet_nic()));
    if (!session) return;
    const auto trail = session->tell_verifier("/v1/audit/search", {{"words", "bootstrap issued"}});
    const std::string id = trail["audit"][0].value("object", "");
    context.expect(session->tell_verifier("/v1/bootstrap/" + id + "/withdrawal", nlohmann::json::object()) == nlohmann::json::object(), "the operator withdraws the grant");
    const Observation& seen = session->seen();
    const auto back = [](const Observation& s) { return s.find("quarantined", {{"device", nic}}) != nullptr; };
    context.expect(session->run_until(back, seconds{300}), "the NIC comes back");
    context.expect(seen.count("bootstrap_accepted") == 1 && seen.find("draining", {{"device", nic}, {"cause", revoked}}) != nullptr, "it was taken, and revoked");
    context.expect(place(seen, "grant_accepted", {{"device", nic}}) > place(seen, "quarantined", {{"device", nic}}), "and was not confirmed meanwhile");
}};

/// What the verifier answers has at that place; null when it has nothing there.
nlohmann::json asked(const Session& session, const std::string& path, const char* place) {
    const auto answer = session.ask_verifier(path);
    const nlohmann::json::json_pointer at{place};
    return answer.is_object() && answer.contains(at) ? answer.at(at) : nullptr;
}

// What the relay does for other platforms the verifier does for this one (docs/adr/0031). `at`: its paths there.

std::string paths_of_platform(const Session& session) {
    const auto platform = asked(session, "/v1/platforms", "/platforms/0/platform_id");
    return "/v1/platforms/" + (platform.is_string() ? platform.get<std::string>() : "none");
}

void expect_secret_released(Context& context, Session& session, const std::string& at) {
    std::ifstream book{session.home() / "secrets.json"};
    const auto stored = session.tell_verifier(at + "/secrets", nlohmann::json::parse(book, nullptr, false));
    context.expect(stored == nlohmann::json{{"stored", 1}}, "the owner stores the platform's sealed secret at the verifier");
    const std::string proof = "disk0] " + proof_of("volume-key", volume_key);
    const auto has_it = [&](const Observation& s) { return std::ranges::any_of(s.lines, [&](const auto& line) { return line.find(proof) != std::string::npos; }); };
    context.expect(session.run_until(has_it, seconds{90}), "the agent fetches it over the NIC, and disk0 has its secret");
}

void expect_order_obeyed(Context& context, Session& session, const std::string& at) {
    const auto given = session.tell_verifier(at + "/operator-orders", {{"vm", "disk0"}, {"order", "stop"}});
    context.expect(given == nlohmann::json{{"id", 1}}, "an operator's order to stop disk0 waits at the verifier");
    const auto stopped = [](const Observation& s) { return s.find("vm_stopped", {{"vm", "disk0"}, {"cause", by_operator}}) != nullptr; };
    context.expect(session.run_until(stopped, seconds{60}), "the agent fetches it over the NIC, and the hypervisor obeys");
}

const Registration road{"a-platform-without-a-management-uart-attests-over-the-nic-that-its-bootstrap-grant-gave-it", [](Context& context) {
    const Scratch scratch;
    SessionConfig config = bootstrapped(context, scratch, road_over_nic(), "\n[[link]]\nbetween = [\"agent\", \"net0\"]\n");
    config.replaced["agent-net.img"] = config.artefacts.images() / "agent-net.img";
    config.management_uart = false;
    config.guests_verifier_port = 8443;
    config.secrets = {{.vm = "disk0", .name = "volume-key", .value = bytes_of(volume_key)}};
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    const auto both = [](const Observation& s) { return s.find("grant_accepted", {{"device", nic}}) && s.find("assigned", {{"device", disk}}); };
    context.expect(session->run_until(both, seconds{400}), "evidence reaches the verifier over the NIC: it is confirmed, and the disk is handed over");
    expect_confirmed(context, seen);
    context.expect(seen.find("link_defined", {{"first", "agent"}, {"second", "net0"}}) != nullptr, "the agent has a link to net0");
    const std::string at = paths_of_platform(*session);
    expect_secret_released(context, *session, at);
    expect_order_obeyed(context, *session, at);
    (void)session->run_until([](const Observation&) { return false; }, seconds{75});
    context.expect(seen.find("draining") == nullptr, "leases are renewed over the NIC that they are about");
    context.expect(asked(*session, at + "/operator-orders", "/orders/0/error") == 0, "the verifier was told that the order was accepted");
    context.expect(asked(*session, at + "/status", "/report/agent/verdict") == "affirming", "and has the platform's status report");
}};

const Registration lapse{"a-bootstrap-lease-that-the-verifier-does-not-confirm-lapses-and-the-nic-is-fenced", [](Context& context) {
    const Scratch scratch;
    SessionConfig config = bootstrapped(context, scratch, quiet_nic(30));
    config.management_uart = false; // and no other road: the verifier never hears of this platform
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    const auto back = [](const Observation& s) { return s.find("quarantined", {{"device", nic}}) != nullptr; };
    context.expect(session->run_until(back, seconds{300}), "the NIC goes back to quarantine");
    context.expect(seen.find("vm_started", {{"vm", "net0"}}) != nullptr, "net0 had it");
    context.expect(seen.find("lease_lapsed", {{"device", nic}}) != nullptr, "it was fenced when the lease was over");
    context.expect(seen.find("draining", {{"device", nic}, {"cause", lease_expired}}) != nullptr, "the ledger says why");
    (void)session->run_until([](const Observation&) { return false; }, seconds{20});
    context.expect(seen.count("bootstrap_accepted") == 1 && seen.count("grant_accepted") == 0, "nobody gets anything more in this launch");
}};

} // namespace

} // namespace casemate::platform_test
