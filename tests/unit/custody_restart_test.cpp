// SPDX-License-Identifier: Apache-2.0
// A VM that ends by itself comes back under its live grants: every path of that, and every way in which it ends.
#include "tests/unit/custody_machine.hpp"

using namespace casemate;
using namespace casemate::test;
using Kind = LedgerKind;
using Kinds = std::vector<LedgerKind>;
using Calls = std::vector<std::string>;

namespace {

/// disk0 runs with its disk; resets take time from here on.
struct Running : Bench {
    Running() {
        begin();
        grant = granted(disk, disk0);
        machine.reset_progress = ResetProgress::pending;
        machine.calls.clear();
        entries = machine.ledger.size();
    }
    Kinds since() const { return kinds(entries); }
    Claims grant;
    std::size_t entries = 0;
};

/// Crash and everything that the machine does about it, at once.
void crash(Bench& bench, VmIndex vm) {
    bench.stopped(vm, Cause::vm_crashed);
    bench.custody->vm_ready(vm);
    bench.custody->tick(bench.now);
}

} // namespace

TEST_CASE("a VM that ends by itself is cut off, reset, and started again under the same grant", "[custody]") {
    const Cause cause = GENERATE(Cause::vm_crashed, Cause::vm_exited, Cause::vm_hung);
    Running bench;
    bench.now = 8000;
    bench.stopped(disk0, cause);
    CHECK(bench.machine.calls == Calls{"detach 1", "reset 1"});
    CHECK(bench.since() == Kinds{Kind::vm_stopped});
    CHECK(bench.state(disk) == DeviceState::resetting);
    bench.custody->reset_done(disk, true);
    CHECK(bench.state(disk) == DeviceState::waiting);
    CHECK(bench.machine.attached.empty());
    bench.custody->vm_ready(disk0);
    CHECK(bench.since() == Kinds{Kind::vm_stopped, Kind::device_reset, Kind::assigned, Kind::vm_started});
    CHECK(bench.machine.calls == Calls{"detach 1", "reset 1", "attach 1", "start 2"});
    CHECK(bench.machine.ledger.back().start_number == 2);
    CHECK(bench.machine.ledger[bench.entries + 2].grant_id == bench.grant.id);
    CHECK(bench.state(disk) == DeviceState::assigned);
    CHECK(bench.custody->device(disk).deadline == 31000); // a restart moves nothing
    CHECK_FALSE(bench.gate_open(disk));
}

TEST_CASE("a VM that is loaded before its device is reset waits for it", "[custody]") {
    Running bench;
    bench.stopped(disk0, Cause::vm_crashed);
    bench.custody->vm_ready(disk0);
    bench.custody->tick(1100);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
    CHECK_FALSE(bench.gate_open(disk));
    bench.custody->reset_done(disk, true);
    CHECK(bench.machine.running == std::set<VmIndex>{agent, disk0});
    CHECK(bench.custody->vm(disk0).starts == 2);
}

TEST_CASE("a device without a reset goes back to the same image in a restart", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(nic, net0);
    const std::size_t before = bench.machine.ledger.size();
    crash(bench, net0);
    CHECK(bench.machine.attached.at(nic) == net0);
    CHECK_FALSE(bench.machine.ledger[before + 1].worked);
    CHECK_FALSE(bench.gate_open(nic, 1)); // of spare
    bench.stopped(net0, Cause::operator_order);
    CHECK(bench.custody->device(nic).tainted_by == bench.custody->vm(net0).id);
}

TEST_CASE("a reset that fails in a restart ends in quarantine", "[custody]") {
    Running bench;
    bench.stopped(disk0, Cause::vm_crashed);
    bench.custody->reset_done(disk, false);
    CHECK(bench.since() == Kinds{Kind::vm_stopped, Kind::device_reset, Kind::quarantined});
    CHECK(bench.custody->device(disk).tainted_by == bench.custody->vm(disk0).id);
    bench.custody->vm_ready(disk0);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
    CHECK(bench.gate_open(disk));
}

TEST_CASE("an attachment that fails in a restart ends in quarantine", "[custody]") {
    Running bench;
    bench.machine.attach_works = false;
    bench.stopped(disk0, Cause::vm_crashed);
    bench.custody->reset_done(disk, true);
    bench.custody->vm_ready(disk0);
    CHECK(bench.state(disk) == DeviceState::resetting);
    bench.custody->reset_done(disk, false);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.custody->device(disk).tainted_by == bench.custody->vm(disk0).id);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
}

TEST_CASE("leases are renewed while their VM is restarted", "[custody]") {
    Running bench;
    bench.stopped(disk0, Cause::vm_crashed);
    for (const bool reset : {false, true}) {
        if (reset) bench.custody->reset_done(disk, true);
        bench.now += 5000;
        CHECK(bench.submit(bench.renewal(bench.grant)) == GrantError::none);
        CHECK(bench.custody->device(disk).deadline == bench.now + 30'000);
    }
    bench.custody->vm_ready(disk0);
    CHECK(bench.state(disk) == DeviceState::assigned);
    CHECK(bench.custody->device(disk).deadline == bench.now + 30'000);
}

TEST_CASE("whatever ends a grant ends a restart", "[custody]") {
    const bool reset_first = GENERATE(true, false);
    const bool loaded = GENERATE(true, false);
    const Cause cause = GENERATE(Cause::lease_expired, Cause::revoked, Cause::operator_order);
    if (reset_first && loaded) return; // it runs again
    Running bench;
    bench.stopped(disk0, Cause::vm_crashed);
    if (reset_first) bench.custody->reset_done(disk, true);
    if (loaded) bench.custody->vm_ready(disk0);
    if (cause == Cause::lease_expired) bench.custody->tick(31'000 - 180);
    if (cause == Cause::revoked) REQUIRE(bench.submit(Bench::revocation(bench.grant)) == GrantError::none);
    if (cause == Cause::operator_order) bench.custody->vm_stopped(disk0, cause, 0);
    CHECK(bench.submit(bench.renewal(bench.grant)) == GrantError::not_assigned);
    if (!reset_first) bench.custody->reset_done(disk, true);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    const LedgerEntry& drained = bench.machine.ledger[bench.entries + (reset_first ? 2 : 1)];
    CHECK(drained.kind == Kind::draining);
    CHECK(drained.cause == cause);
    Kinds told = bench.since();
    told.resize(4);
    CHECK(told == (reset_first ? Kinds{Kind::vm_stopped, Kind::device_reset, Kind::draining, Kind::quarantined}
                               : Kinds{Kind::vm_stopped, Kind::draining, Kind::device_reset, Kind::quarantined}));
    CHECK_FALSE(bench.custody->device(disk).tainted_by.has_value()); // its reset has worked
    if (!loaded) bench.custody->vm_ready(disk0);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
    CHECK(bench.gate_open(disk));
}

TEST_CASE("a crash of a VM that was told to stop starts nothing", "[custody]") {
    Bench bench;
    bench.begin();
    const Claims first = bench.granted(nic, net0);
    bench.granted(extra, net0);
    REQUIRE(bench.submit(Bench::revocation(first)) == GrantError::none);
    crash(bench, net0);
    CHECK(bench.state(nic) == DeviceState::quarantined);
    CHECK(bench.state(extra) == DeviceState::quarantined);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
}

TEST_CASE("a ledger that is lost ends every restart", "[custody]") {
    const bool during = GENERATE(true, false);
    Running bench;
    if (!during) bench.machine.records = false;
    bench.stopped(disk0, Cause::vm_crashed);
    if (during) CHECK(bench.custody->device(disk).granted());
    bench.machine.records = false;
    bench.custody->reset_done(disk, true);
    bench.custody->vm_ready(disk0);
    bench.custody->tick(1100);
    CHECK(bench.machine.attached.empty());
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
}

TEST_CASE("no step of a restart is taken that cannot be recorded", "[custody]") {
    for (std::size_t steps = 0; steps < 4; ++steps) { // stopped, reset, assigned, started
        Running bench;
        bench.stopped(disk0, Cause::vm_crashed);
        bench.machine.room = steps;
        bench.custody->reset_done(disk, true);
        bench.custody->vm_ready(disk0);
        const bool all = steps >= 3;
        CHECK((bench.machine.running.count(disk0) == 1) == all);
        CHECK((bench.machine.attached.count(disk) == 1) == all);
    }
}

TEST_CASE("a ledger without room for another cycle ends in quarantine, and says why the VM ended", "[custody]") {
    Running bench;
    const std::size_t needed = 1 + 4 + 7 + 1; // the stop; every VM may stop, the whole way forth and back, a start
    bench.machine.room = GENERATE_COPY(needed, needed - 1);
    const bool enough = bench.machine.room == needed;
    bench.stopped(disk0, Cause::vm_exited);
    CHECK(bench.custody->device(disk).granted() == enough);
    if (!enough) CHECK(bench.machine.ledger.back().cause == Cause::vm_exited);
}

TEST_CASE("a VM with two devices gets both before it starts again", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(nic, net0);
    const Claims second = bench.granted(extra, net0);
    bench.machine.reset_progress = ResetProgress::pending;
    const std::size_t before = bench.machine.ledger.size();
    bench.stopped(net0, Cause::vm_crashed);
    CHECK(bench.machine.attached.empty());
    bench.custody->vm_ready(net0);
    bench.custody->reset_done(nic, true);
    bench.custody->tick(1100);
    CHECK(bench.state(nic) == DeviceState::waiting);
    SECTION("both come again") {
        bench.custody->reset_done(extra, true);
        CHECK(bench.kinds(before) == Kinds{Kind::vm_stopped, Kind::device_reset, Kind::device_reset, Kind::assigned,
                                           Kind::assigned, Kind::vm_started});
        CHECK(bench.machine.attached.size() == 2);
    }
    SECTION("one cannot be reset: the other comes alone") {
        bench.custody->reset_done(extra, false);
        bench.custody->tick(1200);
        CHECK(bench.state(extra) == DeviceState::quarantined);
        CHECK(bench.state(nic) == DeviceState::assigned);
        CHECK(bench.machine.running.count(net0) == 1);
    }
    SECTION("one is revoked: the other comes alone") {
        REQUIRE(bench.submit(Bench::revocation(second)) == GrantError::none);
        bench.custody->tick(1200);
        CHECK(bench.state(nic) == DeviceState::assigned);
        bench.custody->reset_done(extra, true);
        CHECK(bench.state(extra) == DeviceState::quarantined);
    }
}

TEST_CASE("a device on its way to a VM that crashes meanwhile comes with the restart", "[custody]") {
    Bench bench;
    bench.begin();
    bench.granted(nic, net0);
    bench.machine.reset_progress = ResetProgress::pending;
    bench.granted(extra, net0);
    bench.machine.reset_progress = ResetProgress::worked;
    bench.stopped(net0, Cause::vm_crashed);
    bench.custody->vm_ready(net0);
    CHECK(bench.machine.running.count(net0) == 0);
    bench.custody->reset_done(extra, true);
    CHECK(bench.machine.attached.size() == 2);
    CHECK(bench.machine.running.count(net0) == 1);
}

TEST_CASE("restarts wait longer and longer, and end in quarantine", "[custody]") {
    Bench bench;
    bench.begin();
    Claims grant = bench.granted(disk, disk0);
    const std::uint64_t delays[] = {0, 1000, 2000, 4000, 8000};
    for (const std::uint64_t delay : delays) {
        bench.now += 100;
        bench.custody->tick(bench.now);
        REQUIRE(bench.submit(bench.renewal(grant)) == GrantError::none);
        crash(bench, disk0);
        if (delay == 0) continue;
        bench.now += delay - 1;
        bench.custody->tick(bench.now);
        CHECK(bench.state(disk) == DeviceState::waiting);
        bench.custody->tick(++bench.now);
        CHECK(bench.state(disk) == DeviceState::assigned);
    }
    CHECK(bench.custody->vm(disk0).starts == 6);
    const std::size_t before = bench.machine.ledger.size();
    bench.stopped(disk0, Cause::vm_crashed);
    CHECK(bench.kinds(before) == Kinds{Kind::vm_stopped, Kind::draining, Kind::device_reset, Kind::quarantined});
    CHECK(bench.machine.ledger[before].cause == Cause::vm_crashed);
    CHECK(bench.machine.ledger[before + 1].cause == Cause::restart_limit);
    bench.custody->vm_ready(disk0);
    bench.granted(disk, disk0); // counts anew
    crash(bench, disk0);
    CHECK(bench.state(disk) == DeviceState::assigned);
    CHECK(bench.custody->vm(disk0).starts == 8);
}

TEST_CASE("an agent that ends by itself is started again, later each time, and not for ever", "[custody]") {
    Bench bench;
    bench.begin();
    const std::size_t before = bench.machine.ledger.size();
    const std::uint64_t delays[] = {0, 1000, 2000, 4000, 8000};
    for (const std::uint64_t delay : delays) {
        crash(bench, agent);
        if (delay != 0) {
            bench.now += delay - 1;
            bench.custody->tick(bench.now);
            CHECK(bench.machine.running.empty());
            bench.custody->tick(++bench.now);
        }
        CHECK(bench.machine.running == std::set<VmIndex>{agent});
    }
    CHECK(bench.kinds(before).size() == 10); // stopped, started
    crash(bench, agent);
    bench.custody->tick(bench.now + 60'000);
    CHECK(bench.machine.running.empty());
}

TEST_CASE("an agent that is stopped on purpose stays so, and a driver VM without a device too", "[custody]") {
    Bench bench;
    bench.begin();
    const VmIndex vm = GENERATE(agent, disk0);
    if (vm == disk0) bench.granted(disk, disk0);
    bench.stopped(vm, Cause::operator_order);
    bench.custody->vm_ready(vm);
    bench.custody->tick(bench.now + 20'000);
    CHECK(bench.machine.running.count(vm) == 0);
}

TEST_CASE("an agent for whose restart the ledger has no room stays out", "[custody]") {
    Bench bench;
    bench.begin();
    const std::size_t needed = 1 + 4 + 1; // the stop; every VM may stop; the start
    bench.machine.room = GENERATE_COPY(needed, needed - 1);
    const bool enough = bench.machine.room == needed;
    crash(bench, agent);
    CHECK((bench.machine.running.count(agent) == 1) == enough);
}

TEST_CASE("how often a VM is restarted in a row, and when it is quiet, is the policy's to say", "[custody]") {
    Bench bench;
    const std::uint8_t limit = GENERATE(0, 1, 8);
    bench.policy.vms[disk0].restart_limit = limit;
    bench.policy.vms[disk0].quiet_seconds = 2;
    bench.begin();
    Claims grant = bench.claims(disk, disk0);
    grant.lease = 60;
    REQUIRE(bench.submit(grant) == GrantError::none);
    const auto crash_and_wait = [&] {
        crash(bench, disk0);
        while (bench.state(disk) == DeviceState::waiting) {
            bench.now += 500;
            REQUIRE(bench.submit(bench.renewal(grant)) == GrantError::none);
        }
    };
    for (std::uint8_t i = 0; i < limit; ++i) crash_and_wait();
    CHECK(bench.state(disk) == DeviceState::assigned);
    if (limit != 0) {
        bench.custody->tick(bench.now += 2000); // quiet: the next one is the first of a row
        crash_and_wait();
        CHECK(bench.custody->vm(disk0).restarts == 1);
        for (std::uint8_t i = 1; i < limit; ++i) crash_and_wait();
    }
    const std::size_t before = bench.machine.ledger.size();
    crash_and_wait();
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.machine.ledger[before + 1].cause == Cause::restart_limit);
}

TEST_CASE("a minute of quiet running forgets the restarts before it", "[custody]") {
    const std::uint64_t quiet = GENERATE(59'999, 60'000);
    Bench bench;
    bench.begin();
    Claims grant = bench.claims(disk, disk0);
    grant.lease = 60;
    REQUIRE(bench.submit(grant) == GrantError::none);
    crash(bench, disk0);
    const auto run = [&](std::uint64_t ms) { // as the agent does: renews before the lease is over
        for (; ms != 0; ms -= std::min<std::uint64_t>(ms, 10'000)) {
            bench.now += std::min<std::uint64_t>(ms, 10'000);
            REQUIRE(bench.submit(bench.renewal(grant)) == GrantError::none);
        }
    };
    run(quiet);
    crash(bench, disk0);
    CHECK((bench.state(disk) == DeviceState::assigned) == (quiet == 60'000)); // at once: it is the first again
}

TEST_CASE("a lease that lapses while a restart is put off takes the device back in time", "[custody]") {
    Bench bench;
    bench.begin();
    Claims grant = bench.claims(disk, disk0);
    grant.lease = 2;
    REQUIRE(bench.submit(grant) == GrantError::none);
    crash(bench, disk0);
    crash(bench, disk0);
    bench.now = 2000;
    bench.custody->tick(bench.now);
    CHECK(bench.state(disk) == DeviceState::assigned);
    crash(bench, disk0); // would start again at 4000
    bench.custody->tick(3000 - 181);
    CHECK(bench.state(disk) == DeviceState::waiting);
    bench.custody->tick(3000 - 180);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
}

namespace {

const measure::Sha256Digest digest = [] {
    measure::Sha256Digest bytes{};
    bytes.fill(0x5a);
    return bytes;
}();

/// The snapshot that the newest start says it went on from.
std::optional<measure::Sha256Digest> came_from(const Bench& bench) {
    const auto& ledger = bench.machine.ledger;
    const auto start = std::find_if(ledger.rbegin(), ledger.rend(), [](const auto& entry) { return entry.kind == Kind::vm_started; });
    return start->snapshot;
}

} // namespace

TEST_CASE("the first restart of a row goes on from the snapshot, those after it are cold", "[custody]") {
    Running bench;
    bench.machine.reset_progress = ResetProgress::worked;
    bench.custody->snapshot_taken(disk0, digest);
    CHECK(bench.since() == Kinds{Kind::snapshot_taken});
    CHECK(bench.machine.ledger.back().snapshot == digest);
    bench.stopped(disk0, Cause::vm_crashed);
    CHECK(bench.custody->vm(disk0).warm); // so the machine puts the snapshot back
    bench.custody->vm_ready(disk0);
    CHECK(came_from(bench) == digest);
    CHECK_FALSE(bench.custody->vm(disk0).warm);
    bench.stopped(disk0, Cause::vm_crashed);
    CHECK_FALSE(bench.custody->vm(disk0).warm);
    bench.now += 1000;
    bench.custody->vm_ready(disk0);
    bench.custody->tick(bench.now);
    REQUIRE(bench.custody->vm(disk0).starts == 3);
    CHECK_FALSE(came_from(bench));
}

TEST_CASE("a snapshot counts when the policy wants one, the VM has run, and the ledger has room", "[custody]") {
    Bench bench;
    bench.begin();
    const std::size_t before = bench.machine.ledger.size();
    bench.custody->snapshot_taken(disk0, digest); // never ran
    bench.granted(nic, net0);
    bench.custody->snapshot_taken(net0, digest); // restarts cold
    bench.granted(disk, disk0);
    const std::size_t room = std::exchange(bench.machine.room, 0);
    bench.custody->snapshot_taken(disk0, digest);
    bench.machine.room = room;
    for (VmIndex vm = 0; vm < bench.policy.vm_count; ++vm) CHECK_FALSE(bench.custody->vm(vm).snapshot);
    bench.custody->snapshot_taken(disk0, digest);
    bench.custody->snapshot_taken(disk0, {}); // one is enough
    CHECK(bench.custody->vm(disk0).snapshot == digest);
    const Kinds made = bench.kinds(before);
    CHECK(std::count(made.begin(), made.end(), Kind::snapshot_taken) == 1);
}

TEST_CASE("a VM that loses its grants before it has come back may still go on from what was put back", "[custody]") {
    Running bench;
    bench.machine.reset_progress = ResetProgress::worked;
    bench.custody->snapshot_taken(disk0, digest);
    bench.stopped(disk0, Cause::vm_crashed);
    bench.now = 32000; // the lease is over
    bench.custody->tick(bench.now);
    bench.custody->vm_ready(disk0);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.custody->vm(disk0).warm);
    bench.granted(disk, disk0);
    CHECK(came_from(bench) == digest);
}
