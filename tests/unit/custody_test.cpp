// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/custody_machine.hpp"

using namespace casemate;
using namespace casemate::test;
using Kind = LedgerKind;
using Kinds = std::vector<LedgerKind>;
using Calls = std::vector<std::string>;

TEST_CASE("the ledger begins with the launch, then every VM, then the gates, then the agent's start", "[custody]") {
    Bench bench;
    bench.begin();
    CHECK(bench.kinds(0) == Kinds{Kind::launched, Kind::vm_defined, Kind::vm_defined, Kind::vm_defined,
                                  Kind::vm_defined, Kind::gate_opened, Kind::gate_opened, Kind::gate_opened,
                                  Kind::gate_opened, Kind::vm_started});
    CHECK(bench.machine.ledger[0].launch_kind == launch::LaunchKind::skinit);
    CHECK(bench.machine.calls == Calls{"start 0"});
    CHECK(bench.custody->vm(net0).state == VmState::ready);
}

TEST_CASE("a ledger that does not take the launch lets nothing run", "[custody]") {
    for (std::size_t room = 0; room < 6; ++room) { // launched, four VMs, the agent's start
        Bench bench;
        bench.machine.room = room;
        CHECK_FALSE(bench.try_begin());
        CHECK(bench.machine.calls.empty());
    }
}

TEST_CASE("a gate request names launch, VM, device, isolation and a nonce of its own", "[custody]") {
    Bench bench;
    bench.begin();
    std::set<measure::GateNonce> nonces;
    bench.custody->for_each_open_gate([&](const measure::GateRequest& request) {
        CHECK(request.launch_id == bench.custody->launch().id);
        CHECK(request.isolation.dma_remapping);
        CHECK_FALSE(request.tainted_by.has_value());
        nonces.insert(request.gate_nonce);
    });
    CHECK(nonces.size() == 4);
    CHECK(bench.custody->gate_request(nic, 1).vm_id == bench.custody->vm(spare).id);
    CHECK(bench.custody->gate_request(disk, 0).device.address == bench.policy.devices[disk].address);
}

TEST_CASE("a grant resets, assigns and starts, each recorded before it happens", "[custody]") {
    Bench bench;
    bench.begin();
    const std::size_t before = bench.machine.ledger.size();
    const Claims claims = bench.claims(disk, disk0);
    const auto message = grant::sign(claims, verifier()).value();
    REQUIRE(bench.custody->submit(message, 1000) == GrantError::none);
    CHECK(bench.kinds(before) == Kinds{Kind::grant_accepted, Kind::device_reset, Kind::assigned, Kind::vm_started});
    CHECK(bench.machine.calls == Calls{"start 0", "reset 1", "attach 1", "start 2"});
    CHECK(bench.state(disk) == DeviceState::assigned);
    CHECK(bench.custody->vm(disk0).state == VmState::running);
    CHECK(bench.custody->device(disk).grant_id == claims.id);
    CHECK(bench.custody->device(disk).deadline == 1000 + 30 * 1000);
    CHECK_FALSE(bench.gate_open(disk));
    const LedgerEntry& accepted = bench.machine.ledger[before];
    CHECK(accepted.grant_digest == measure::sha256(message));
    CHECK(accepted.lease_seconds == 30);
    CHECK(bench.machine.ledger[before + 1].worked);
    CHECK(bench.machine.ledger[before + 3].start_number == 1);
}

TEST_CASE("a reset that takes time is waited for", "[custody]") {
    Bench bench;
    bench.begin();
    bench.machine.reset_progress = ResetProgress::pending;
    bench.granted(disk, disk0);
    CHECK(bench.state(disk) == DeviceState::resetting);
    CHECK(bench.machine.attached.empty());
    bench.custody->reset_done(disk, true);
    CHECK(bench.state(disk) == DeviceState::assigned);
    bench.custody->reset_done(disk, false); // nobody asked
    CHECK(bench.state(disk) == DeviceState::assigned);
}

TEST_CASE("a failed reset on the way to the holder ends in quarantine with a new gate", "[custody]") {
    Bench bench;
    bench.begin();
    const auto old_nonce = bench.nonce(disk, disk0);
    bench.machine.reset_progress = ResetProgress::failed;
    const std::size_t before = bench.machine.ledger.size();
    bench.granted(disk, disk0);
    CHECK(bench.kinds(before) == Kinds{Kind::grant_accepted, Kind::device_reset, Kind::quarantined, Kind::gate_opened});
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.gate_open(disk));
    CHECK(bench.nonce(disk, disk0) != old_nonce);
    CHECK_FALSE(bench.custody->device(disk).tainted_by.has_value()); // nobody has touched it
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
}

TEST_CASE("an attachment that fails takes the device back and starts nothing", "[custody]") {
    Bench bench;
    bench.begin();
    bench.machine.attach_works = false;
    bench.granted(disk, disk0);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
}

TEST_CASE("a lapsed lease stops the VM, then cuts the device off, then resets it", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(disk, disk0);
    bench.machine.calls.clear();
    const std::size_t before = bench.machine.ledger.size();
    bench.custody->tick(31000 - 181); // 80 ms to stop the VM, 100 ms of the reset
    CHECK(bench.state(disk) == DeviceState::assigned);
    bench.custody->tick(31000 - 180);
    CHECK(bench.state(disk) == DeviceState::draining);
    CHECK(bench.machine.calls == Calls{"stop 2"});
    bench.stopped(disk0, Cause::lease_expired);
    CHECK(bench.machine.calls == Calls{"stop 2", "detach 1", "reset 1"});
    CHECK(bench.kinds(before) == Kinds{Kind::draining, Kind::vm_stopped, Kind::device_reset, Kind::quarantined});
    CHECK(bench.machine.ledger[before].cause == Cause::lease_expired);
    CHECK(bench.machine.ledger[before + 1].reason == 9);
    CHECK_FALSE(bench.gate_open(disk)); // the VM is not loaded again yet
    bench.custody->vm_ready(disk0);
    CHECK(bench.gate_open(disk));
    CHECK_FALSE(bench.custody->device(disk).tainted_by.has_value());
    CHECK(bench.custody->device(disk).last_reset == ResetKind::function_level);
}

TEST_CASE("a device whose reset takes no time is taken back later than one that must wait for it", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(nic, net0);
    bench.granted(disk, disk0);
    bench.custody->tick(31000 - 81);
    CHECK(bench.state(disk) == DeviceState::draining);
    CHECK(bench.state(nic) == DeviceState::assigned);
    bench.custody->tick(31000 - 80);
    CHECK(bench.state(nic) == DeviceState::draining);
}

TEST_CASE("a lease that is shorter than the way back ends at once", "[custody]") {
    Bench bench;
    bench.begin();
    bench.now = 0;
    Claims claims = bench.claims(disk, disk0);
    claims.lease = 1;
    bench.now = 600; // 1 s from the evidence, less its age and half of it: 100 ms are left
    REQUIRE(bench.submit(claims) == GrantError::none);
    CHECK(bench.custody->device(disk).deadline == 700);
    bench.custody->tick(600);
    CHECK(bench.state(disk) == DeviceState::draining);
}

TEST_CASE("a stop takes the device back, and a new grant starts the VM again", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(disk, disk0);
    bench.machine.reset_progress = ResetProgress::pending;
    const std::size_t before = bench.machine.ledger.size();
    bench.stopped(disk0, Cause::operator_order);
    CHECK(bench.kinds(before) == Kinds{Kind::vm_stopped, Kind::draining});
    CHECK(bench.state(disk) == DeviceState::resetting);
    CHECK(bench.machine.attached.empty());
    bench.custody->vm_ready(disk0);
    CHECK_FALSE(bench.gate_open(disk));
    bench.custody->reset_done(disk, true);
    REQUIRE(bench.gate_open(disk));
    bench.machine.reset_progress = ResetProgress::worked;
    bench.granted(disk, disk0);
    CHECK(bench.custody->vm(disk0).starts == 2);
    CHECK(bench.machine.ledger.back().start_number == 2);
}

TEST_CASE("a stop is reported once", "[custody]") {
    Bench bench;
    bench.begin();
    const std::size_t before = bench.machine.ledger.size();
    bench.custody->vm_stopped(disk0, Cause::vm_crashed, 0); // never ran
    bench.custody->vm_ready(disk0);
    CHECK(bench.machine.ledger.size() == before);
    bench.stopped(agent, Cause::vm_exited);
    bench.custody->vm_stopped(agent, Cause::vm_exited, 0);
    CHECK(bench.kinds(before) == Kinds{Kind::vm_stopped});
}

TEST_CASE("a renewal moves the deadline, a revocation ends it", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims grant = bench.granted(disk, disk0);
    bench.now = 20000;
    CHECK(bench.submit(bench.renewal(grant)) == GrantError::none);
    CHECK(bench.custody->device(disk).deadline == 50000);
    bench.now = 49819;
    CHECK(bench.submit(bench.renewal(grant)) == GrantError::none);
    CHECK(bench.submit(Bench::revocation(grant)) == GrantError::none);
    CHECK(bench.state(disk) == DeviceState::draining);
    CHECK(bench.machine.ledger.back().cause == Cause::revoked);
    CHECK(bench.submit(Bench::revocation(grant)) == GrantError::not_assigned);
    bench.stopped(disk0, Cause::revoked);
    CHECK(bench.state(disk) == DeviceState::quarantined);
}

TEST_CASE("a lapsed lease cannot be renewed, even before the tick", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims grant = bench.granted(disk, disk0);
    bench.now = 31000;
    CHECK(bench.submit(bench.renewal(grant)) == GrantError::not_assigned);
    CHECK(bench.state(disk) == DeviceState::draining);
}

TEST_CASE("revocation and expiry reach a device that is still resetting", "[custody]") {
    const bool revoked = GENERATE(true, false);
    Bench bench;
    bench.begin();
    bench.machine.reset_progress = ResetProgress::pending;
    const Claims grant = bench.granted(disk, disk0);
    const std::size_t before = bench.machine.ledger.size();
    if (revoked) CHECK(bench.submit(Bench::revocation(grant)) == GrantError::none);
    else bench.custody->tick(31000);
    CHECK(bench.submit(Bench::revocation(grant)) == GrantError::not_assigned);
    bench.custody->reset_done(disk, true);
    CHECK(bench.kinds(before) == Kinds{Kind::draining, Kind::device_reset, Kind::quarantined, Kind::gate_opened});
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
    CHECK(bench.machine.attached.empty());
}

TEST_CASE("a device without a reset goes only to the image that held it", "[custody]") {
    Bench bench;
    bench.begin();
    const std::size_t before = bench.machine.ledger.size();
    bench.granted(nic, net0);
    CHECK_FALSE(bench.machine.ledger[before + 1].worked); // it went quiet; that is no reset
    bench.stopped(net0, Cause::operator_order);
    CHECK(bench.machine.ledger.back().kind == Kind::gate_opened); // of spare
    bench.custody->vm_ready(net0);
    const measure::VmId holder = bench.custody->vm(net0).id;
    CHECK(bench.custody->device(nic).tainted_by == holder);
    CHECK(bench.custody->gate_request(nic, 0).tainted_by == holder);
    CHECK(bench.custody->gate_request(nic, 1).tainted_by == holder);
    CHECK(bench.submit(bench.claims(nic, spare)) == GrantError::tainted);
    CHECK(bench.state(nic) == DeviceState::quarantined);
    bench.granted(nic, net0);
    CHECK(bench.machine.attached.at(nic) == net0);
}

TEST_CASE("a reset that failed on the way back taints until one works", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(disk, disk0);
    bench.machine.reset_progress = ResetProgress::failed;
    bench.stopped(disk0, Cause::operator_order);
    CHECK(bench.custody->device(disk).tainted_by == bench.custody->vm(disk0).id);
    CHECK(bench.machine.ledger.back().tainted_by == bench.custody->vm(disk0).id);
    bench.custody->vm_ready(disk0);
    bench.machine.reset_progress = ResetProgress::worked;
    bench.granted(disk, disk0);
    bench.stopped(disk0, Cause::operator_order);
    CHECK_FALSE(bench.custody->device(disk).tainted_by.has_value());
}

TEST_CASE("a VM with two devices loses both when one goes back", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims first = bench.granted(nic, net0);
    const auto nonce_before = bench.nonce(extra, net0);
    const Claims second = bench.granted(extra, net0); // while the VM runs
    CHECK(bench.custody->vm(net0).starts == 1);
    CHECK(nonce_before == second.gate_nonce);
    CHECK(bench.submit(Bench::revocation(first)) == GrantError::none);
    CHECK(bench.state(extra) == DeviceState::assigned); // until the VM has stopped
    bench.custody->tick(31000); // the second lapses meanwhile: no second stop
    bench.stopped(net0, Cause::revoked);
    CHECK(bench.state(nic) == DeviceState::quarantined);
    CHECK(bench.state(extra) == DeviceState::quarantined);
    CHECK(bench.machine.attached.empty());
}

TEST_CASE("a second device that is still resetting does not reach a VM that stopped meanwhile", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(nic, net0);
    bench.machine.reset_progress = ResetProgress::pending;
    bench.granted(extra, net0);
    bench.stopped(net0, Cause::operator_order);
    bench.custody->reset_done(extra, true);
    CHECK(bench.state(extra) == DeviceState::quarantined);
    CHECK(bench.machine.attached.empty());
}

TEST_CASE("starting a VM renews the gates of its other devices", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims stale = bench.claims(extra, net0);
    bench.granted(nic, net0);
    CHECK(bench.gate_open(extra));
    CHECK(bench.submit(stale) == GrantError::stale_gate_nonce);
}

TEST_CASE("no gate opens for an absent or unisolated device, nor without randomness", "[custody]") {
    Bench bench;
    SECTION("absent") { bench.facts[disk].present = false; }
    SECTION("no DMA remapping") { bench.facts[disk].isolation.dma_remapping = false; }
    SECTION("no interrupt remapping") { bench.facts[disk].isolation.interrupt_remapping = false; }
    SECTION("no random numbers") { bench.machine.has_random = false; }
    bench.begin();
    CHECK_FALSE(bench.gate_open(disk));
    CHECK(bench.submit(bench.claims(disk, disk0)) == GrantError::no_such_gate);
}

TEST_CASE("the change counter moves with every event", "[custody]") {
    Bench bench;
    bench.begin();
    auto moved = [&, last = bench.custody->changes()]() mutable {
        const bool changed = bench.custody->changes() != last;
        last = bench.custody->changes();
        return changed;
    };
    CHECK_FALSE(moved());
    bench.granted(disk, disk0);
    CHECK(moved());
    bench.stopped(disk0, Cause::vm_exited);
    CHECK(moved());
    bench.custody->vm_ready(disk0);
    CHECK(moved());
    bench.custody->tick(2000);
    CHECK_FALSE(moved());
}

TEST_CASE("a lease runs from its evidence, however long the message was kept back", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims granted = bench.claims(disk, disk0); // evidence at 1000, lease 30 s
    bench.now = 9000;
    REQUIRE(bench.submit(granted) == GrantError::none);
    CHECK(bench.custody->device(disk).deadline == 31000 - 4000); // half of the age more: a TPM's clock may be slow
    const Claims renewal = bench.renewal(granted);
    bench.now = 19000;
    REQUIRE(bench.submit(renewal) == GrantError::none);
    CHECK(bench.custody->device(disk).deadline == 39000 - 5000);
}

TEST_CASE("renewals that an agent has piled up end with their evidence", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims granted = bench.granted(disk, disk0);
    std::vector<Claims> pile; // the agent asks often, and submits nothing
    for (int i = 0; i < 20; ++i) {
        bench.now += 100;
        pile.push_back(bench.renewal(granted));
    }
    const std::uint64_t last_evidence = bench.now; // from here on the verifier signs no more
    std::size_t accepted = 0;
    for (const Claims& renewal : pile) { // each at the last moment
        if (bench.state(disk) != DeviceState::assigned) break;
        bench.now = bench.custody->device(disk).lapses_at() - 1;
        accepted += bench.submit(renewal) == GrantError::none;
        CHECK(bench.custody->device(disk).deadline <= last_evidence + 30'000);
        bench.custody->tick(bench.now);
    }
    CHECK(accepted == 0); // at the last moment the age of all of them is nearly the lease
    bench.custody->tick(last_evidence + 30'000);
    CHECK(bench.state(disk) == DeviceState::draining);
}

TEST_CASE("a lease ends by its evidence whenever its renewals are submitted", "[custody]") {
    for (std::uint64_t delay = 0; delay < 30'000; delay += 500) {
        Bench bench;
        bench.begin();
        const Claims granted = bench.granted(disk, disk0);
        bench.now = 1500;
        const Claims renewal = bench.renewal(granted);
        bench.now += delay;
        const bool accepted = bench.submit(renewal) == GrantError::none;
        CHECK(accepted == (delay < 20'000)); // age and half of it
        bench.custody->tick(31'500);
        CHECK(bench.state(disk) == DeviceState::draining);
    }
}

TEST_CASE("without the TPM's clock nothing is granted and nothing renewed", "[custody]") {
    Bench bench;
    bench.begin();
    bench.machine.has_clock = false;
    CHECK(bench.submit(bench.claims(disk, disk0)) == GrantError::evidence_age);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    bench.machine.has_clock = true;
    const Claims granted = bench.granted(disk, disk0);
    bench.now = 5000;
    bench.machine.has_clock = false;
    CHECK(bench.submit(bench.renewal(granted)) == GrantError::evidence_age);
    CHECK(bench.custody->device(disk).deadline == 31000);
}

TEST_CASE("the TPM is asked for its time only by a message that is good otherwise", "[custody]") {
    Bench bench;
    bench.begin();
    Claims bad = bench.claims(disk, disk0);
    bad.gate_nonce[0] ^= 1;
    CHECK(bench.submit(bad) == GrantError::stale_gate_nonce);
    bad = bench.claims(disk, disk0);
    bad.lease = 61;
    CHECK(bench.submit(bad) == GrantError::lease);
    CHECK(bench.machine.clock_reads == 0);
    bench.granted(disk, disk0);
    CHECK(bench.machine.clock_reads == 1);
}
