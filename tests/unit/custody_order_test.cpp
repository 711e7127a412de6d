// SPDX-License-Identifier: Apache-2.0
// An operator's orders: stop, start and restart of a driver VM, under the grants that it has and by the rule of a restart.
#include "tests/unit/custody_machine.hpp"

using namespace casemate;
using namespace casemate::test;
using custody::Order;
using custody::OrderError;
using Kind = LedgerKind;
using Kinds = std::vector<LedgerKind>;
using Calls = std::vector<std::string>;

namespace {

/// disk0 runs with its disk, net0 with its NIC.
struct Running : Bench {
    Running() {
        begin();
        disk_grant = granted(disk, disk0);
        granted(nic, net0);
        machine.calls.clear();
        entries = machine.ledger.size();
    }
    OrderError order(VmIndex vm, Order what) { return custody->order(vm, what); }
    /// What follows an order that was obeyed.
    void obeyed(VmIndex vm) {
        stopped(vm, Cause::operator_order);
        custody->vm_ready(vm);
        custody->tick(now);
    }
    Kinds since() const { return kinds(entries); }
    bool runs(VmIndex vm) const { return machine.running.count(vm) == 1; }
    Claims disk_grant;
    std::size_t entries = 0;
};

} // namespace

TEST_CASE("a VM that is told to stop is cut off and reset, keeps its grant, and stays", "[custody]") {
    Running bench;
    REQUIRE(bench.order(disk0, Order::stop) == OrderError::none);
    CHECK(bench.machine.calls == Calls{"stop 2"});
    bench.obeyed(disk0);
    CHECK(bench.machine.calls == Calls{"stop 2", "detach 1", "reset 1"});
    CHECK(bench.since() == Kinds{Kind::vm_stopped, Kind::device_reset});
    CHECK(bench.machine.ledger[bench.entries].cause == Cause::operator_order);
    CHECK(bench.state(disk) == DeviceState::waiting);
    CHECK((bench.runs(net0) && bench.state(nic) == DeviceState::assigned));
    for (bench.now = 2000; bench.now < 20'000; bench.now += 1000) bench.custody->tick(bench.now);
    CHECK_FALSE(bench.runs(disk0));
    CHECK(bench.submit(bench.renewal(bench.disk_grant)) == GrantError::none);
    CHECK_FALSE(bench.gate_open(disk));
}

TEST_CASE("a held VM starts under its live grant when it is told to", "[custody]") {
    Running bench;
    REQUIRE(bench.order(disk0, Order::stop) == OrderError::none);
    bench.machine.reset_progress = ResetProgress::pending;
    bench.obeyed(disk0);
    const bool reset_first = GENERATE(true, false);
    if (reset_first) bench.custody->reset_done(disk, true);
    REQUIRE(bench.order(disk0, Order::start) == OrderError::none);
    if (!reset_first) bench.custody->reset_done(disk, true);
    CHECK(bench.runs(disk0));
    CHECK(bench.since() == Kinds{Kind::vm_stopped, Kind::device_reset, Kind::assigned, Kind::vm_started});
    CHECK(bench.machine.ledger[bench.entries + 2].grant_id == bench.disk_grant.id);
    CHECK(bench.custody->device(disk).deadline == 31000); // an order moves nothing
    CHECK(bench.order(disk0, Order::start) == OrderError::state);
}

TEST_CASE("a VM that is told to restart comes back by itself under the same grant", "[custody]") {
    Running bench;
    REQUIRE(bench.order(disk0, Order::restart) == OrderError::none);
    CHECK(bench.order(disk0, Order::restart) == OrderError::state); // it is stopping
    bench.obeyed(disk0);
    CHECK(bench.machine.calls == Calls{"stop 2", "detach 1", "reset 1", "attach 1", "start 2"});
    CHECK(bench.machine.ledger.back().start_number == 2);
    CHECK(bench.custody->vm(disk0).restarts == 1);
}

TEST_CASE("a start without a live grant is refused, and a grant alone starts no held VM", "[custody]") {
    Running bench;
    REQUIRE(bench.order(disk0, Order::stop) == OrderError::none);
    bench.obeyed(disk0);
    const bool lapses = GENERATE(true, false);
    if (lapses) bench.custody->tick(bench.now = 31'000);
    else CHECK(bench.submit(Bench::revocation(bench.disk_grant)) == GrantError::none);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK(bench.order(disk0, Order::start) == OrderError::no_grant);
    bench.granted(disk, disk0);
    bench.custody->tick(bench.now);
    CHECK(bench.state(disk) == DeviceState::waiting);
    CHECK_FALSE(bench.runs(disk0));
    CHECK(bench.order(disk0, Order::start) == OrderError::none);
    CHECK(bench.runs(disk0));
}

TEST_CASE("a VM that does not run can be held before it ever does", "[custody]") {
    Bench bench;
    bench.begin();
    REQUIRE(bench.custody->order(disk0, Order::stop) == OrderError::none);
    bench.granted(disk, disk0);
    bench.custody->tick(bench.now);
    CHECK(bench.machine.running == std::set<VmIndex>{agent});
    CHECK(bench.custody->order(disk0, Order::start) == OrderError::none);
    CHECK(bench.machine.running == std::set<VmIndex>{agent, disk0});
}

TEST_CASE("a lease that ends while a VM is being stopped takes the device back", "[custody]") {
    Running bench;
    const Order what = GENERATE(Order::stop, Order::restart);
    REQUIRE(bench.order(disk0, what) == OrderError::none);
    REQUIRE(bench.submit(Bench::revocation(bench.disk_grant)) == GrantError::none);
    bench.obeyed(disk0);
    CHECK(bench.state(disk) == DeviceState::quarantined);
    CHECK_FALSE(bench.runs(disk0));
}

TEST_CASE("restarts by order count as restarts: too often, and the device goes back", "[custody]") {
    Running bench;
    for (std::uint32_t i = 0; i <= policy::usual_restart_limit; ++i) {
        CHECK(bench.runs(disk0));
        REQUIRE(bench.order(disk0, Order::restart) == OrderError::none);
        bench.obeyed(disk0);
        bench.custody->tick(bench.now = bench.custody->vm(disk0).not_before);
        bench.now += 1;
        if (i < policy::usual_restart_limit) CHECK(bench.submit(bench.renewal(bench.disk_grant)) == GrantError::none);
    }
    CHECK_FALSE(bench.runs(disk0));
    CHECK(bench.state(disk) == DeviceState::quarantined);
}

TEST_CASE("an order that is none, or not possible, changes nothing and says why", "[custody]") {
    Running bench;
    const std::uint32_t changes = bench.custody->changes();
    for (const std::uint32_t number : {0U, 4U, ~0U}) CHECK(bench.order(disk0, static_cast<Order>(number)) == OrderError::order);
    for (const VmIndex vm : {VmIndex{4}, VmIndex{policy::max_vms}, ~VmIndex{0}}) CHECK(bench.order(vm, Order::stop) == OrderError::vm);
    for (const Order what : {Order::stop, Order::start, Order::restart}) CHECK(bench.order(agent, what) == OrderError::not_a_driver);
    CHECK(bench.order(disk0, Order::start) == OrderError::state);
    CHECK(bench.order(spare, Order::start) == OrderError::state);
    CHECK(bench.order(spare, Order::restart) == OrderError::state);
    bench.machine.room = 0;
    CHECK(bench.order(disk0, Order::restart) == OrderError::log_full);
    CHECK(bench.machine.calls.empty());
    CHECK(bench.custody->changes() == changes);
    CHECK(bench.since().empty());
    CHECK(bench.order(disk0, Order::stop) == OrderError::none); // a stop is obeyed all the same
    CHECK(bench.order(disk0, Order::stop) == OrderError::state);
    CHECK(bench.order(disk0, Order::restart) == OrderError::state);
}
