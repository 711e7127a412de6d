// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/custody_machine.hpp"

#include <functional>

using namespace casemate;
using namespace casemate::test;
using Change = std::function<void(Claims&)>;

namespace {

/// What a grant of the disk meets after one change; a refusal must change nothing.
GrantError after(const Change& change) {
    Bench bench;
    bench.begin();
    Claims claims = bench.claims(disk, disk0);
    change(claims);
    const std::size_t entries = bench.machine.ledger.size();
    const GrantError error = bench.submit(claims);
    if (error != GrantError::none) {
        CHECK(bench.machine.ledger.size() == entries);
        CHECK(bench.state(disk) == DeviceState::quarantined);
        CHECK(bench.machine.calls == std::vector<std::string>{"start 0"});
        CHECK(bench.submit(bench.claims(disk, disk0)) == GrantError::none); // its gate still stands
    }
    return error;
}

GrantError renewal_after(const Change& change) {
    Bench bench;
    bench.begin();
    const Claims granted = bench.granted(disk, disk0);
    bench.now = 5000;
    Claims claims = bench.renewal(granted);
    change(claims);
    const GrantError error = bench.submit(claims);
    CHECK(bench.custody->device(disk).deadline == (error == GrantError::none ? 5000 + 1000 * claims.lease : 31000));
    return error;
}

} // namespace

TEST_CASE("a grant that is wrong in one claim is refused with that reason", "[custody]") {
    CHECK(after([](Claims&) {}) == GrantError::none);
    CHECK(after([](Claims& c) { c.launch_id[0] ^= 1; }) == GrantError::launch);
    CHECK(after([](Claims& c) { c.device.device = 6; }) == GrantError::device);
    CHECK(after([](Claims& c) { c.device.segment = 1; }) == GrantError::device);
    CHECK(after([](Claims& c) { c.vm_id[0] ^= 1; }) == GrantError::vm_id);
    CHECK(after([](Claims& c) { c.epoch = 8; }) == GrantError::epoch);
    CHECK(after([](Claims& c) { c.gate_nonce[31] ^= 1; }) == GrantError::stale_gate_nonce);
    CHECK(after([](Claims& c) { c.rights = 0; }) == GrantError::rights);
    CHECK(after([](Claims& c) { c.rights = 3; }) == GrantError::rights); // cannot be honoured
    CHECK(after([](Claims& c) { c.rights = 15; }) == GrantError::rights);
    CHECK(after([](Claims& c) { c.rights = 1ull << 32 | 7; }) == GrantError::rights);
    CHECK(after([](Claims& c) { c.lease = 0; }) == GrantError::lease);
    CHECK(after([](Claims& c) { c.lease = 61; }) == GrantError::lease);
    CHECK(after([](Claims& c) { c.lease = (1ull << 32) + 30; }) == GrantError::lease);
    CHECK(after([](Claims& c) { c.evidence_clock += 1; }) == GrantError::evidence_age); // of a time to come
    CHECK(after([](Claims& c) { c.evidence_clock -= 30'000; }) == GrantError::evidence_age);
    CHECK(after([](Claims& c) { c.evidence_clock = 0; }) == GrantError::evidence_age);
    CHECK(after([](Claims& c) { c.evidence_clock = UINT64_MAX; }) == GrantError::evidence_age);
    CHECK(after([](Claims& c) { c.type = grant::Type::renewal; }) == GrantError::not_assigned);
    CHECK(after([](Claims& c) { c.type = grant::Type::revocation; }) == GrantError::not_assigned);
    CHECK(after([](Claims& c) { c.type = static_cast<grant::Type>(5); }) == GrantError::type);
}

TEST_CASE("a renewal that is wrong in one claim is refused with that reason", "[custody]") {
    CHECK(renewal_after([](Claims&) {}) == GrantError::none);
    CHECK(renewal_after([](Claims& c) { c.lease = 60; }) == GrantError::none);
    CHECK(renewal_after([](Claims& c) { c.id[0] ^= 1; }) == GrantError::not_assigned);
    CHECK(renewal_after([](Claims& c) { c.gate_nonce[0] ^= 1; }) == GrantError::stale_gate_nonce);
    CHECK(renewal_after([](Claims& c) { c.evidence_clock -= 4000; }) == GrantError::evidence_order); // the grant's own
    CHECK(renewal_after([](Claims& c) { c.evidence_clock = 0; }) == GrantError::evidence_order);
    CHECK(renewal_after([](Claims& c) { c.evidence_clock += 1; }) == GrantError::evidence_age);
    CHECK(renewal_after([](Claims& c) { c.rights = 3; }) == GrantError::rights);
    CHECK(renewal_after([](Claims& c) { c.lease = 61; }) == GrantError::lease);
    CHECK(renewal_after([](Claims& c) { c.lease = 0; }) == GrantError::lease);
    CHECK(renewal_after([](Claims& c) { c.launch_id[0] ^= 1; }) == GrantError::launch);
    CHECK(renewal_after([](Claims& c) { c.epoch = 0; }) == GrantError::epoch);
}

TEST_CASE("renewals and revocations name the holder and its gate", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims grant = bench.granted(nic, net0);
    Claims other = grant;
    other.vm_id = bench.custody->vm(spare).id;
    CHECK(bench.submit(bench.renewal(other)) == GrantError::vm_id);
    CHECK(bench.submit(Bench::revocation(other)) == GrantError::vm_id);
    Claims stale = grant;
    stale.gate_nonce[0] ^= 1;
    CHECK(bench.submit(Bench::revocation(stale)) == GrantError::stale_gate_nonce);
    Claims unknown = grant;
    unknown.id[0] ^= 1;
    CHECK(bench.submit(Bench::revocation(unknown)) == GrantError::not_assigned);
    CHECK(bench.state(nic) == DeviceState::assigned);
}

TEST_CASE("a grant is good once, a renewal too", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims grant = bench.granted(disk, disk0);
    CHECK(bench.submit(grant) == GrantError::used_before);
    bench.now += 1;
    const Claims renewal = bench.renewal(grant);
    CHECK(bench.submit(renewal) == GrantError::none);
    CHECK(bench.submit(renewal) == GrantError::evidence_order);
    bench.stopped(disk0, Cause::operator_order);
    bench.custody->vm_ready(disk0);
    CHECK(bench.submit(grant) == GrantError::used_before);
    CHECK(bench.submit(bench.renewal(grant)) == GrantError::not_assigned);
}

TEST_CASE("a grant that was used long ago still fails at its nonce", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims first = bench.granted(disk, disk0);
    for (int i = 0; i < 70; ++i) {
        bench.stopped(disk0, Cause::operator_order);
        bench.custody->vm_ready(disk0);
        if (i < 69) bench.granted(disk, disk0);
    }
    CHECK(bench.submit(first) == GrantError::stale_gate_nonce);
}

TEST_CASE("a grant for a device that another VM holds meets no gate", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims waiting = bench.claims(nic, spare);
    bench.granted(nic, net0);
    CHECK(bench.submit(waiting) == GrantError::no_such_gate);
}

TEST_CASE("a device that the policy does not give whole is not given", "[custody]") {
    Bench bench;
    bench.policy.devices[disk].rights = policy::right_dma;
    bench.begin();
    Claims claims = bench.claims(disk, disk0);
    CHECK(bench.submit(claims) == GrantError::rights);
    claims.rights = policy::right_dma;
    CHECK(bench.submit(claims) == GrantError::rights);
}

TEST_CASE("a grant for the VM of another device is refused", "[custody]") {
    Bench bench;
    bench.begin();
    CHECK(bench.submit(bench.claims(disk, net0)) == GrantError::vm_id);
    CHECK(bench.submit(bench.claims(nic, agent)) == GrantError::vm_id);
}

TEST_CASE("an unmeasured launch refuses everything", "[custody]") {
    Bench bench{launch::LaunchKind::unmeasured};
    bench.begin();
    CHECK(bench.submit(bench.claims(disk, disk0)) == GrantError::launch_not_measured);
    CHECK(bench.custody->submit({}, 1000) == GrantError::launch_not_measured);
}

TEST_CASE("garbage and other keys are refused before anything is looked at", "[custody]") {
    Bench bench;
    bench.begin();
    CHECK(bench.custody->submit({}, 1000) == GrantError::shape);
    const auto other = cose::Signer::generate().value();
    const auto forged = grant::sign(bench.claims(disk, disk0), other).value();
    CHECK(bench.custody->submit(forged, 1000) == GrantError::signature);
}

TEST_CASE("a ledger without room for the whole cycle refuses the grant and keeps its gate", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims claims = bench.claims(disk, disk0);
    bench.machine.room = 4 + 7; // four VMs may stop; one less than a grant needs
    CHECK(bench.submit(claims) == GrantError::log_full);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    bench.machine.room = 4 + 8;
    CHECK(bench.submit(claims) == GrantError::none);
}

TEST_CASE("room that was promised lasts until the device is back", "[custody]") {
    Bench bench;
    bench.begin();
    bench.machine.room = 4 + 8;
    bench.granted(disk, disk0);
    bench.stopped(disk0, Cause::vm_crashed);
    CHECK(bench.machine.ledger.back().kind == LedgerKind::quarantined);
    bench.custody->vm_ready(disk0);
    CHECK(bench.gate_open(disk) == false); // no room for a gate
    CHECK(bench.submit(bench.claims(disk, disk0)) == GrantError::no_such_gate);
}

TEST_CASE("an entry that cannot be recorded stops a grant at every step", "[custody]") {
    for (std::size_t steps = 0; steps < 4; ++steps) { // accepted, reset, assigned, started
        Bench bench;
        bench.begin();
        struct Failing : RecordingMachine {
            bool ledger_has_room(std::size_t) override { return true; }
        } machine;
        machine.now = &bench.now;
        Custody custody{machine, bench.policy, measure::P256PublicKey::create(verifier().public_key()).value(),
                        bench.custody->launch()};
        const std::vector<std::uint8_t> definition{0};
        const std::vector<ByteView> definitions(4, ByteView{definition});
        REQUIRE(custody.begin(definitions, bench.facts));
        Claims claims = bench.claims(disk, disk0);
        claims.vm_id = custody.vm(disk0).id;
        claims.gate_nonce = custody.device(disk).gates[0].nonce;
        machine.room = steps;
        const GrantError error = custody.submit(grant::sign(claims, verifier()).value(), 1000);
        CHECK((error == GrantError::log_full) == (steps == 0));
        CHECK(machine.running == std::set<VmIndex>{agent});
        CHECK(machine.attached.empty());
        CHECK(custody.device(disk).state == DeviceState::quarantined);
    }
}

TEST_CASE("a lost ledger takes every device back and accepts nothing more", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims net = bench.granted(nic, net0);
    bench.granted(disk, disk0);
    bench.machine.records = false;
    bench.stopped(disk0, Cause::vm_crashed); // cannot be recorded
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.machine.attached.count(disk) == 0);
    bench.machine.records = true;
    bench.custody->tick(2000);
    CHECK(bench.state(nic) == DeviceState::draining);
    bench.stopped(net0, Cause::none);
    CHECK(bench.machine.attached.empty());
    bench.custody->vm_ready(net0);
    CHECK_FALSE(bench.gate_open(nic));
    CHECK(bench.submit(bench.renewal(net)) == GrantError::not_assigned);
}
