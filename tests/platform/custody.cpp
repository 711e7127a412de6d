// SPDX-License-Identifier: Apache-2.0
// Devices taken back: silence, revocation, and the death of each part around the platform.
#include "tests/platform/fixture.hpp"

#include <csignal>

namespace casemate::platform_test {

namespace {

using std::chrono::seconds;

// Causes as docs/interfaces/ledger.md numbers them.
constexpr const char* cause_lease_expired = "1";
constexpr const char* cause_revoked = "2";

/// A session in which both driver VMs hold their device; nullptr (and a broken expectation) otherwise.
std::unique_ptr<Session> with_devices(Context& context) {
    auto session = begin(context, standard(context));
    if (!session) return nullptr;
    if (!context.expect(session->run_until(both_assigned, seconds{300}), "both devices are handed over")) return nullptr;
    return session;
}

bool quarantined_again(const Observation& seen, const char* device) {
    return seen.find("draining", {{"device", device}}) != nullptr &&
           seen.find("quarantined", {{"device", device}}) != nullptr;
}

std::string grant_id_of(const Session& session, const char* device) {
    const auto* accepted = session.seen().find("grant_accepted", {{"device", device}});
    return accepted == nullptr ? "" : accepted->event.get("grant");
}

std::int64_t number(const session::SeenEvent* seen, const char* key) {
    return seen == nullptr || seen->event.get(key).empty() ? -1 : std::stoll(seen->event.get(key));
}

/// By the hypervisor's own clock. The order and the length of the reset are judged; how close it came to the deadline is only
/// told, since this machine may be busy.
void expect_lapse_in_order(Context& context, const Observation& seen, const std::string& device, std::int64_t reset_ms) {
    const auto* lapsed = seen.find("lease_lapsed", {{"device", device}});
    const std::int64_t deadline = number(lapsed, "deadline_ms"), fenced = number(lapsed, "fenced_ms");
    const std::int64_t draining = number(seen.find("draining", {{"device", device}}), "at_ms");
    const std::int64_t back = number(seen.find("quarantined", {{"device", device}}), "at_ms");
    const auto left = [&](std::int64_t time) { return std::to_string(deadline - time); };
    context.expect(deadline > 0 && fenced > 0 && fenced <= draining && draining + reset_ms <= back,
                   device + " was fenced " + left(fenced) + " ms before its deadline, draining " + left(draining) +
                       " ms, back in quarantine " + left(back) + " ms before it (after a reset of at least " +
                       std::to_string(reset_ms) + " ms)");
}

const Registration silence{"a-lease-that-is-not-renewed-ends-and-the-device-is-back", [](Context& context) {
    const auto session = with_devices(context);
    if (!session) return;
    kill(session->relay_pid(), SIGKILL);
    const bool back = session->run_until(
        [](const Observation& s) { return quarantined_again(s, "00:03.0") && quarantined_again(s, "00:04.0"); }, seconds{120});
    context.expect(back, "both devices are back in quarantine after the agent fell silent");
    for (const char* device : {"00:03.0", "00:04.0"}) {
        const auto* draining = session->seen().find("draining", {{"device", device}});
        context.expect(draining != nullptr && draining->event.get("cause") == cause_lease_expired,
                       std::string{device} + " was drained because its lease expired");
    }
    expect_lapse_in_order(context, session->seen(), "00:03.0", 0); // no reset at all
    expect_lapse_in_order(context, session->seen(), "00:04.0", 100); // function level reset [PCIe 6.6.2]
    context.expect(session->seen().find("vm_stopped", {{"vm", "agent"}}) == nullptr, "the agent VM did not notice");
}};

/// True if net0 has had its address for a second, began its transfers with that, and has not finished them.
bool net_is_at_work(Session& session) {
    const bool ready = session.run_until([](const Observation& s) { return s.said("CM_STATE net") && s.said("step=address"); },
                                         seconds{120});
    session.run_until([](const Observation& s) { return s.proofs.contains("net"); }, seconds{1});
    return ready && !session.seen().proofs.contains("net");
}

const Registration revoked{"a-grant-revoked-under-traffic-ends-at-once-and-the-other-vm-goes-on", [](Context& context) {
    const auto session = with_devices(context);
    if (!session) return;
    if (!context.expect(net_is_at_work(*session), "net0 is in the middle of its transfers")) return;
    const std::string grant = grant_id_of(*session, "00:03.0");
    if (!context.expect(!grant.empty(), "the accepted grant of 00:03.0 has an id")) return;
    const auto answer = session->tell_verifier("/v1/grants/" + grant + "/revocation", nlohmann::json::object());
    context.expect(answer.is_object() && answer.contains("revocation"), "the operator's revocation is signed");
    const bool back = session->run_until([](const Observation& s) { return quarantined_again(s, "00:03.0"); }, seconds{60});
    context.expect(back, "00:03.0 is back in quarantine");
    const auto* draining = session->seen().find("draining", {{"device", "00:03.0"}});
    context.expect(draining != nullptr && draining->event.get("cause") == cause_revoked, "because it was revoked");
    context.expect(!session->seen().proofs.contains("net"), "net0 did not finish");
    context.expect(session->run_until([](const Observation& s) { return s.proofs.contains("disk"); }, seconds{240}),
                   "disk0 finishes its work");
    context.expect(session->seen().find("draining", {{"device", "00:04.0"}}) == nullptr, "00:04.0 stays where it is");
}};

void killed(Context& context, const std::string& part) {
    {
        const auto session = with_devices(context);
        if (!session) return;
        if (part == "verifier") kill(session->verifier_pid(), SIGKILL);
        if (part == "relay") kill(session->relay_pid(), SIGKILL);
        session->run_until([](const Observation&) { return false; }, seconds{5});
        context.expect(session->seen().ending.empty(), "the platform goes on without its " + part);
    }
    const auto again = begin(context, standard(context));
    context.expect(again && again->run_until(both_assigned, seconds{300}), "the next session works");
}

const Registration verifier_killed{"a-killed-verifier-wedges-nothing", [](Context& context) { killed(context, "verifier"); }};

} // namespace

} // namespace casemate::platform_test
