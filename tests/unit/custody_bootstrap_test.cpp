// SPDX-License-Identifier: Apache-2.0
// The bootstrap lease: what custody does with a grant that nobody looked for, and that each who would misuse it gains nothing
// (docs/adr/0029). That the seal opens in one state of one platform only is tests/platform/secret.
#include "tests/unit/custody_machine.hpp"

#include <functional>

using namespace casemate;
using namespace casemate::test;
using Kind = LedgerKind;
using Kinds = std::vector<LedgerKind>;
using custody::Seal;

namespace {

/// What a bootstrap grant of the NIC meets after one change; a refusal must change nothing.
GrantError after(const std::function<void(Claims&)>& change, Seal seal = Seal::opened) {
    Bench bench;
    bench.begin();
    Claims claims = bench.bootstrap(nic, net0);
    change(claims);
    const std::size_t entries = bench.machine.ledger.size();
    const auto message = grant::sign(claims, verifier()).value();
    const GrantError error = bench.custody->submit(message, bench.now, seal);
    if (error == GrantError::none) return error;
    CHECK(bench.machine.ledger.size() == entries);
    CHECK(bench.state(nic) == DeviceState::quarantined);
    CHECK(bench.machine.calls == std::vector<std::string>{"start 0"});
    CHECK(bench.submit_opened(bench.bootstrap(nic, net0)) == GrantError::none); // it was not used up
    return error;
}

/// The NIC is at net0, and the verifier has not looked.
struct Unseen : Bench {
    Unseen() {
        begin();
        accepted = bootstrap(nic, net0);
        REQUIRE(submit_opened(accepted) == GrantError::none);
    }
    Claims accepted;
};

} // namespace

TEST_CASE("an opened bootstrap grant hands its device over, for its lease from now, and the gate is there to be answered", "[custody][bootstrap]") {
    Bench bench;
    bench.begin();
    const std::size_t before = bench.machine.ledger.size();
    REQUIRE(bench.submit_opened(bench.bootstrap(nic, net0)) == GrantError::none);
    CHECK(bench.kinds(before) == Kinds{Kind::bootstrap_accepted, Kind::device_reset, Kind::assigned, Kind::vm_started, Kind::gate_opened, Kind::gate_opened}); // the other is that of its second device
    CHECK(bench.custody->device(nic).deadline == bench.now + 20'000);
    CHECK(bench.custody->device(nic).evidence_clock == bench.clock());
    CHECK(bench.machine.attached.at(nic) == net0);
    CHECK(bench.gate_open(nic, 0));
    CHECK_FALSE(bench.gate_open(nic, 1)); // of the VM that has it alone
}

TEST_CASE("a bootstrap grant that is wrong in one claim, or that no TPM has opened, is refused with that reason", "[custody][bootstrap]") {
    CHECK(after([](Claims&) {}) == GrantError::none);
    CHECK(after([](Claims&) {}, Seal::none) == GrantError::not_opened); // a thief, or the agent, with the message alone
    CHECK(after([](Claims& c) { c.type = grant::Type::grant; }) == GrantError::launch); // no grant for any launch
    CHECK(after([](Claims& c) { c.launch_id.fill(0x77); }) == GrantError::launch);
    CHECK(after([](Claims& c) { c.gate_nonce[0] = 1; }) == GrantError::stale_gate_nonce);
    CHECK(after([](Claims& c) { c.vm_id[0] ^= 1; }) == GrantError::vm_id); // another image
    CHECK(after([](Claims& c) { c.device.device = 4; }) == GrantError::vm_id); // a device that is not net0's
    CHECK(after([](Claims& c) { c.device.device = 5; }) == GrantError::lease); // net0's, and has no bootstrap lease
    CHECK(after([](Claims& c) { c.device.device = 6; }) == GrantError::device);
    CHECK(after([](Claims& c) { c.epoch -= 1; }) == GrantError::epoch); // an older policy's
    CHECK(after([](Claims& c) { c.lease = 31; }) == GrantError::lease);
    CHECK(after([](Claims& c) { c.lease = 0; }) == GrantError::lease);
    CHECK(after([](Claims& c) { c.rights = 3; }) == GrantError::rights);
}

TEST_CASE("a bootstrap grant needs a measured launch and a TPM that says its time", "[custody][bootstrap]") {
    Bench unmeasured{launch::LaunchKind::unmeasured};
    unmeasured.begin();
    CHECK(unmeasured.submit_opened(unmeasured.bootstrap(nic, net0)) == GrantError::launch_not_measured);
    Bench bench;
    bench.begin().machine.has_clock = false;
    CHECK(bench.submit_opened(bench.bootstrap(nic, net0)) == GrantError::evidence_age);
}

TEST_CASE("a bootstrap grant is good as the first grant of a launch only, and once", "[custody][bootstrap]") {
    Unseen bench;
    CHECK(bench.submit_opened(bench.accepted) == GrantError::bootstrap_late);
    CHECK(bench.submit_opened(bench.bootstrap(nic, net0)) == GrantError::bootstrap_late); // another one neither
    bench.now = bench.custody->device(nic).lapses_at();
    bench.custody->tick(bench.now);
    bench.stopped(net0, Cause::lease_expired);
    bench.custody->vm_ready(net0);
    REQUIRE(bench.state(nic) == DeviceState::quarantined);
    CHECK(bench.submit_opened(bench.accepted) == GrantError::bootstrap_late); // not after it has lapsed
    Bench other;
    other.begin();
    other.granted(disk, disk0); // the verifier is there: it can look
    CHECK(other.submit_opened(other.bootstrap(nic, net0)) == GrantError::bootstrap_late);
}

TEST_CASE("a bootstrap lease lapses by itself: nothing but a look of the verifier's makes it longer", "[custody][bootstrap]") {
    Unseen bench;
    bench.now += 1000;
    Claims renewal = bench.renewal(bench.accepted);
    renewal.launch_id = bench.custody->launch().id;
    CHECK(bench.submit(renewal) == GrantError::not_assigned); // not even the verifier renews it
    const std::size_t before = bench.machine.ledger.size();
    bench.now = bench.custody->device(nic).lapses_at();
    bench.custody->tick(bench.now);
    CHECK_FALSE(bench.gate_open(nic)); // its VM is on its way out
    bench.stopped(net0, Cause::lease_expired);
    bench.custody->vm_ready(net0);
    CHECK(bench.kinds(before) == Kinds{Kind::draining, Kind::vm_stopped, Kind::device_reset, Kind::quarantined, Kind::gate_opened, Kind::gate_opened, Kind::gate_opened});
    CHECK(bench.machine.ledger[before].cause == Cause::lease_expired);
    CHECK(bench.machine.attached.empty());
    CHECK(bench.now <= 1000 + 20'000);
    bench.granted(nic, net0); // an ordinary grant is as good as ever
}

TEST_CASE("the verifier's grant takes the place of the bootstrap grant: the VM goes on, under the new lease", "[custody][bootstrap]") {
    Unseen bench;
    bench.now += 5000;
    const std::size_t before = bench.machine.ledger.size(), calls = bench.machine.calls.size();
    const Claims confirmed = bench.granted(nic, net0);
    CHECK(bench.kinds(before) == Kinds{Kind::grant_accepted});
    CHECK(bench.machine.calls.size() == calls); // no reset, no stop
    CHECK(bench.state(nic) == DeviceState::assigned);
    CHECK(bench.custody->device(nic).grant_id == confirmed.id);
    CHECK(bench.custody->device(nic).deadline == bench.now + 30'000);
    CHECK_FALSE(bench.gate_open(nic));
    bench.now += 1000;
    CHECK(bench.submit(bench.renewal(confirmed)) == GrantError::none);
    CHECK(bench.submit(Bench::revocation(bench.accepted)) == GrantError::launch); // what it was is over
    CHECK(bench.submit(Bench::revocation(confirmed)) == GrantError::none);
}

TEST_CASE("a grant for the gate that the bootstrap grant took, or for another VM, confirms nothing", "[custody][bootstrap]") {
    Bench bench;
    bench.begin();
    const Claims before = bench.claims(nic, net0), other = bench.claims(nic, spare);
    REQUIRE(bench.submit_opened(bench.bootstrap(nic, net0)) == GrantError::none);
    CHECK(bench.submit(before) == GrantError::stale_gate_nonce); // on evidence from before the hand-over
    CHECK(bench.submit(other) == GrantError::no_such_gate);
    CHECK(bench.custody->device(nic).bootstrap);
}

TEST_CASE("the verifier withdraws a bootstrap grant by a revocation for this launch", "[custody][bootstrap]") {
    Unseen bench;
    Claims revocation = Bench::revocation(bench.accepted);
    CHECK(bench.submit(revocation) == GrantError::launch);
    revocation.launch_id = bench.custody->launch().id;
    REQUIRE(bench.submit(revocation) == GrantError::none);
    CHECK(bench.state(nic) == DeviceState::draining);
    CHECK_FALSE(bench.gate_open(nic));
    bench.stopped(net0, Cause::revoked);
    CHECK(bench.state(nic) == DeviceState::quarantined);
    CHECK_FALSE(bench.custody->device(nic).bootstrap);
}

TEST_CASE("a VM that crashes under a bootstrap lease comes back under it, with a new gate and the old deadline", "[custody][bootstrap]") {
    Unseen bench;
    const std::uint64_t deadline = bench.custody->device(nic).deadline;
    const Claims stale = bench.claims(nic, net0);
    bench.now += 2000;
    bench.stopped(net0, Cause::vm_crashed);
    CHECK_FALSE(bench.gate_open(nic));
    CHECK(bench.submit(stale) == GrantError::no_such_gate);
    bench.custody->vm_ready(net0);
    REQUIRE(bench.state(nic) == DeviceState::assigned);
    CHECK(bench.custody->device(nic).deadline == deadline);
    CHECK(bench.submit(stale) == GrantError::stale_gate_nonce);
    bench.granted(nic, net0);
}
