// SPDX-License-Identifier: Apache-2.0
// The verifier's replay of the custody ledger, one forbidden step after the other; and against the hypervisor's own
// state machine: whatever that records, the replay must accept and agree with.
#include "attest/appraise/custody_replay.hpp"
#include "tests/unit/custody_machine.hpp"

#include <random>

using namespace casemate;
using namespace casemate::test;
using attest::CustodyReplay;
using attest::CustodyState;

namespace {

template <std::size_t size>
std::array<std::uint8_t, size> all(std::uint8_t byte) {
    std::array<std::uint8_t, size> bytes;
    bytes.fill(byte);
    return bytes;
}

const measure::GrantId grant_id = all<16>(9);

/// A replay with helpers that apply one entry and say whether it was allowed.
class Story {
public:
    Story() : replay_{policy_, all<32>(0x77), ids_} {}

    bool gate(DeviceIndex device, VmIndex vm, std::optional<measure::VmId> tainted_by = {},
              std::uint8_t launch = 0x77) {
        measure::GateRequest request;
        request.gate_nonce = all<32>(++nonce_);
        request.launch_id = all<32>(launch);
        request.vm_id = ids_[vm];
        request.device.address = policy_.devices[device].address;
        request.tainted_by = tainted_by;
        gates_.emplace_back(measure::max_gate_request);
        const ByteView bytes = measure::encode(gates_.back(), request);
        return replay_.apply({.kind = LedgerKind::gate_opened, .gate_request = bytes});
    }
    bool grant(DeviceIndex device, VmIndex vm) {
        return replay_.apply({.kind = LedgerKind::grant_accepted, .vm_id = ids_[vm], .device = at(device),
                              .grant_id = grant_id, .lease_seconds = 30});
    }
    bool bootstrap(DeviceIndex device, VmIndex vm, std::uint32_t lease = 20) {
        return replay_.apply({.kind = LedgerKind::bootstrap_accepted, .vm_id = ids_[vm], .device = at(device),
                              .grant_id = all<16>(8), .lease_seconds = lease});
    }
    /// The device runs under its VM, and the verifier has not looked.
    bool unseen(DeviceIndex device, VmIndex vm) {
        return gate(device, vm) && bootstrap(device, vm) && reset(device, ResetKind::none, false) && assign(device, vm, all<16>(8)) && start(vm);
    }
    bool reset(DeviceIndex device, ResetKind kind, bool worked) {
        return replay_.apply({.kind = LedgerKind::device_reset, .device = at(device), .reset_kind = kind, .worked = worked});
    }
    bool assign(DeviceIndex device, VmIndex vm, measure::GrantId id = grant_id) {
        return replay_.apply({.kind = LedgerKind::assigned, .vm_id = ids_[vm], .device = at(device), .grant_id = id});
    }
    bool start(VmIndex vm, std::uint32_t number = 1) {
        return replay_.apply({.kind = LedgerKind::vm_started, .vm_id = ids_[vm], .start_number = number});
    }
    bool stop(VmIndex vm, Cause cause = Cause::vm_crashed) {
        return replay_.apply({.kind = LedgerKind::vm_stopped, .vm_id = ids_[vm], .cause = cause});
    }
    bool drain(DeviceIndex device, VmIndex vm, Cause cause = Cause::none) {
        return replay_.apply({.kind = LedgerKind::draining, .vm_id = ids_[vm], .device = at(device), .cause = cause});
    }
    bool quarantine(DeviceIndex device, std::optional<measure::VmId> tainted_by = {}) {
        return replay_.apply({.kind = LedgerKind::quarantined, .device = at(device), .tainted_by = tainted_by});
    }
    bool snapshot(VmIndex vm, std::uint8_t value = 5) {
        return replay_.apply({.kind = LedgerKind::snapshot_taken, .vm_id = ids_[vm], .snapshot = all<32>(value)});
    }
    bool start_from(VmIndex vm, std::uint8_t value) {
        const std::uint32_t next = replay_.vm(vm).starts + 1;
        return replay_.apply({.kind = LedgerKind::vm_started, .vm_id = ids_[vm], .start_number = next, .snapshot = all<32>(value)});
    }
    bool secret(VmIndex vm) {
        return replay_.apply({.kind = LedgerKind::secret_released, .vm_id = ids_[vm], .name = "key"});
    }
    /// The device runs under its VM.
    bool held(DeviceIndex device, VmIndex vm, ResetKind kind = ResetKind::function_level) {
        return gate(device, vm) && grant(device, vm) && reset(device, kind, kind != ResetKind::none) &&
               assign(device, vm) && start(vm);
    }
    measure::VmId id(VmIndex vm) const { return ids_[vm]; }
    const CustodyReplay& replay() const { return replay_; }

private:
    DeviceAddress at(DeviceIndex device) const { return policy_.devices[device].address; }

    policy::Policy policy_ = custody_policy();
    std::array<measure::VmId, 4> ids_{all<32>(1), all<32>(2), all<32>(3), all<32>(4)};
    std::vector<std::vector<std::uint8_t>> gates_;
    std::uint8_t nonce_ = 0;
    CustodyReplay replay_;
};

} // namespace

TEST_CASE("a device goes to its VM and back", "[custody_replay]") {
    Story story;
    REQUIRE(story.held(disk, disk0));
    CHECK(story.replay().device(disk).state == CustodyState::assigned);
    CHECK(story.replay().device(disk).lease_seconds == 30);
    CHECK(story.replay().device(disk).gate_nonce == all<32>(1));
    CHECK(story.replay().vm(disk0).running);
    REQUIRE(story.drain(disk, disk0));
    REQUIRE(story.stop(disk0));
    REQUIRE(story.reset(disk, ResetKind::function_level, true));
    REQUIRE(story.quarantine(disk));
    CHECK(story.replay().device(disk).state == CustodyState::quarantined);
    REQUIRE(story.gate(disk, disk0));
    CHECK_FALSE(story.replay().open_gate(disk, disk0).empty());
}

TEST_CASE("a grant without an open gate for that device and VM is refused", "[custody_replay]") {
    Story story;
    CHECK_FALSE(story.grant(nic, net0));
    REQUIRE(story.gate(nic, net0));
    CHECK_FALSE(story.grant(nic, spare));
    CHECK_FALSE(story.grant(extra, net0));
    CHECK(story.grant(nic, net0));
    CHECK_FALSE(story.grant(nic, net0));
}

TEST_CASE("gates open only for quarantined devices, in this launch, with the true taint", "[custody_replay]") {
    Story story;
    CHECK_FALSE(story.gate(nic, net0, {}, 0x78));
    CHECK_FALSE(story.gate(nic, net0, story.id(net0)));
    REQUIRE(story.held(nic, net0, ResetKind::none));
    CHECK_FALSE(story.gate(nic, spare));
    CustodyReplay replay = story.replay();
    CHECK_FALSE(replay.apply({.kind = LedgerKind::gate_opened}));
}

TEST_CASE("nothing is assigned without a reset, except a device that has none", "[custody_replay]") {
    Story story;
    REQUIRE(story.gate(disk, disk0));
    REQUIRE(story.grant(disk, disk0));
    CHECK_FALSE(story.assign(disk, disk0));
    SECTION("failed") {
        REQUIRE(story.reset(disk, ResetKind::function_level, false));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK(story.quarantine(disk));
    }
    SECTION("has none") {
        CHECK_FALSE(story.reset(disk, ResetKind::none, true));
        REQUIRE(story.reset(disk, ResetKind::none, false));
        CHECK(story.assign(disk, disk0));
    }
    SECTION("under another grant, to another VM, twice") {
        REQUIRE(story.reset(disk, ResetKind::function_level, true));
        CHECK_FALSE(story.assign(disk, disk0, all<16>(8)));
        CHECK_FALSE(story.assign(disk, net0));
        CHECK(story.assign(disk, disk0));
        CHECK_FALSE(story.assign(disk, disk0));
    }
}

TEST_CASE("driver VMs start with a device only, and count their starts", "[custody_replay]") {
    Story story;
    CHECK_FALSE(story.start(net0));
    CHECK(story.start(agent));
    CHECK_FALSE(story.start(agent, 2)); // it runs
    CHECK_FALSE(story.stop(disk0));     // it does not
    REQUIRE(story.stop(agent));
    CHECK_FALSE(story.start(agent, 1));
    CHECK(story.start(agent, 2));
}

TEST_CASE("a device is not reset while its holder's instructions can run", "[custody_replay]") {
    Story story;
    REQUIRE(story.held(disk, disk0));
    REQUIRE(story.drain(disk, disk0));
    CHECK_FALSE(story.reset(disk, ResetKind::function_level, true));
    REQUIRE(story.stop(disk0));
    CHECK(story.reset(disk, ResetKind::function_level, true));
}

TEST_CASE("a VM does not start again over a device that never went back", "[custody_replay]") {
    Story story;
    REQUIRE(story.held(disk, disk0));
    REQUIRE(story.stop(disk0));
    CHECK_FALSE(story.start(disk0, 2));
}

TEST_CASE("a VM that ended by itself gets its device again under the same grant, after a reset", "[custody_replay]") {
    const ResetKind kind = GENERATE(ResetKind::function_level, ResetKind::none);
    const Cause cause = GENERATE(Cause::vm_crashed, Cause::vm_exited, Cause::vm_hung);
    Story story;
    REQUIRE(story.held(disk, disk0, kind));
    for (std::uint32_t start = 2; start < 5; ++start) {
        REQUIRE(story.stop(disk0, cause));
        CHECK(story.replay().device(disk).granted());
        REQUIRE(story.reset(disk, kind, kind != ResetKind::none));
        CHECK(story.replay().device(disk).granted());
        REQUIRE(story.assign(disk, disk0));
        REQUIRE(story.start(disk0, start));
        CHECK(story.replay().device(disk).state == CustodyState::assigned);
        CHECK(story.replay().device(disk).gate_nonce == all<32>(1));
    }
    CHECK_FALSE(story.gate(disk, disk0));
}

TEST_CASE("a forged restart is refused", "[custody_replay]") {
    Story story;
    REQUIRE(story.held(disk, disk0));
    const auto flr = ResetKind::function_level;
    SECTION("the VM goes on") {
        CHECK_FALSE(story.reset(disk, flr, true));
        CHECK_FALSE(story.assign(disk, disk0));
    }
    SECTION("it was told to stop") {
        REQUIRE(story.stop(disk0, GENERATE(Cause::none, Cause::lease_expired, Cause::revoked)));
        CHECK_FALSE(story.reset(disk, flr, true));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK_FALSE(story.start(disk0, 2));
    }
    SECTION("without a reset") {
        REQUIRE(story.stop(disk0));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK_FALSE(story.start(disk0, 2));
    }
    SECTION("with a reset that failed") {
        REQUIRE(story.stop(disk0));
        REQUIRE(story.reset(disk, flr, false));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK_FALSE(story.quarantine(disk)); // hides the taint
        CHECK(story.quarantine(disk, story.id(disk0)));
        CHECK_FALSE(story.assign(disk, disk0));
    }
    SECTION("under another grant, for another VM, twice") {
        REQUIRE(story.stop(disk0));
        REQUIRE(story.reset(disk, flr, true));
        CHECK_FALSE(story.assign(disk, disk0, all<16>(8)));
        CHECK_FALSE(story.assign(disk, net0));
        CHECK_FALSE(story.start(disk0, 2)); // without its device
        CHECK_FALSE(story.grant(disk, disk0));
        REQUIRE(story.assign(disk, disk0));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK_FALSE(story.reset(disk, flr, true));
    }
    SECTION("of a device that goes back") {
        const bool reset_first = GENERATE(true, false);
        REQUIRE(story.stop(disk0));
        if (reset_first) REQUIRE(story.reset(disk, flr, true));
        REQUIRE(story.drain(disk, disk0, GENERATE(Cause::lease_expired, Cause::restart_limit)));
        CHECK_FALSE(story.replay().device(disk).granted());
        CHECK_FALSE(story.assign(disk, disk0));
        if (!reset_first) REQUIRE(story.reset(disk, flr, true));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK(story.quarantine(disk));
        CHECK_FALSE(story.assign(disk, disk0));
        CHECK_FALSE(story.start(disk0, 2));
    }
    SECTION("to quarantine, silently") {
        REQUIRE(story.stop(disk0));
        REQUIRE(story.reset(disk, flr, true));
        CHECK_FALSE(story.quarantine(disk));
    }
    SECTION("too often, of a VM that goes on") { CHECK_FALSE(story.drain(disk, disk0, Cause::restart_limit)); }
}

TEST_CASE("a VM with two devices starts again when both have come or gone", "[custody_replay]") {
    Story story;
    REQUIRE(story.held(nic, net0, ResetKind::none));
    REQUIRE(story.gate(extra, net0));
    REQUIRE(story.grant(extra, net0));
    REQUIRE(story.reset(extra, ResetKind::function_level, true));
    REQUIRE(story.assign(extra, net0));
    REQUIRE(story.stop(net0));
    REQUIRE(story.reset(nic, ResetKind::none, false));
    REQUIRE(story.assign(nic, net0));
    CHECK_FALSE(story.start(net0, 2));
    REQUIRE(story.reset(extra, ResetKind::function_level, GENERATE(true, false)));
    CHECK_FALSE(story.start(net0, 2));
    if (story.replay().device(extra).last_reset_worked) REQUIRE(story.assign(extra, net0));
    else REQUIRE(story.quarantine(extra, story.id(net0)));
    CHECK(story.start(net0, 2));
}

TEST_CASE("without a reset the device is tainted by its holder and goes to that image only", "[custody_replay]") {
    Story story;
    REQUIRE(story.held(nic, net0, ResetKind::none));
    REQUIRE(story.drain(nic, net0));
    REQUIRE(story.stop(net0));
    REQUIRE(story.reset(nic, ResetKind::none, false));
    CHECK_FALSE(story.quarantine(nic));
    CHECK_FALSE(story.quarantine(nic, story.id(spare)));
    REQUIRE(story.quarantine(nic, story.id(net0)));
    CHECK_FALSE(story.gate(nic, spare)); // hides the taint
    REQUIRE(story.gate(nic, spare, story.id(net0)));
    CHECK_FALSE(story.grant(nic, spare));
    REQUIRE(story.gate(nic, net0, story.id(net0)));
    CHECK(story.grant(nic, net0));
}

TEST_CASE("a device cannot be quarantined before it was reset, nor twice", "[custody_replay]") {
    Story story;
    CHECK_FALSE(story.quarantine(disk));
    REQUIRE(story.held(disk, disk0));
    CHECK_FALSE(story.quarantine(disk));
    REQUIRE(story.drain(disk, disk0));
    CHECK_FALSE(story.drain(disk, disk0));
    CHECK_FALSE(story.quarantine(disk));
}

TEST_CASE("a VM goes on from its own recorded snapshot only", "[custody_replay]") {
    Story story;
    CHECK_FALSE(story.snapshot(disk0)); // never ran
    REQUIRE(story.held(disk, disk0));
    REQUIRE(story.held(nic, net0));
    CHECK_FALSE(story.snapshot(net0)); // the policy restarts it cold
    REQUIRE(story.snapshot(disk0));
    CHECK_FALSE(story.snapshot(disk0, 6));
    REQUIRE((story.stop(disk0) && story.reset(disk, ResetKind::function_level, true) && story.assign(disk, disk0)));
    CHECK_FALSE(story.start_from(disk0, 6));
    CHECK(story.start_from(disk0, 5));
    REQUIRE((story.stop(net0) && story.reset(nic, ResetKind::function_level, true) && story.assign(nic, net0)));
    CHECK_FALSE(story.start_from(net0, 5)); // another's
    CHECK(story.start(net0, 2));
}

TEST_CASE("secrets go to running VMs; unknown devices and VMs are refused", "[custody_replay]") {
    Story story;
    CHECK_FALSE(story.secret(agent));
    REQUIRE(story.start(agent));
    CHECK(story.secret(agent));
    CustodyReplay replay = story.replay();
    CHECK_FALSE(replay.apply({.kind = LedgerKind::vm_started, .vm_id = all<32>(0), .start_number = 1}));
    CHECK_FALSE(replay.apply({.kind = LedgerKind::draining, .vm_id = story.id(net0), .device = {0, 0, 9, 0}}));
    CHECK_FALSE(replay.apply({.kind = LedgerKind::vm_defined}));
    CHECK_FALSE(replay.apply({.kind = LedgerKind::launched}));
    CHECK_FALSE(CustodyReplay{}.apply({.kind = LedgerKind::vm_started, .start_number = 1}));
}

TEST_CASE("a bootstrap grant is the ledger's first grant, by the policy's leave", "[custody_replay][bootstrap]") {
    const auto allowed = [](auto before, DeviceIndex device, VmIndex vm, std::uint32_t lease) {
        Story story;
        return before(story) && story.gate(device, vm) && story.bootstrap(device, vm, lease);
    };
    const auto nothing = [](Story&) { return true; };
    CHECK(allowed(nothing, nic, net0, 30));
    CHECK_FALSE(allowed(nothing, nic, net0, 31)); // longer than the policy allows
    CHECK_FALSE(allowed(nothing, nic, net0, 0));
    CHECK_FALSE(allowed(nothing, extra, net0, 20)); // no bootstrap lease in the policy
    CHECK_FALSE(allowed([](Story& s) { return s.held(disk, disk0); }, nic, net0, 20)); // after another grant
    CHECK_FALSE(Story{}.bootstrap(nic, net0)); // its gate never opened
    Story twice;
    REQUIRE(twice.unseen(nic, net0));
    CHECK_FALSE(twice.bootstrap(nic, net0));
}

TEST_CASE("the gate of a device under a bootstrap grant opens while its VM runs, and a grant answers it without a reset", "[custody_replay][bootstrap]") {
    Story story;
    REQUIRE((story.gate(nic, net0) && story.bootstrap(nic, net0)));
    CHECK(story.replay().device(nic).bootstrap);
    CHECK(story.replay().open_gate(nic, net0).empty());
    CHECK_FALSE(story.gate(nic, net0)); // on its way
    CHECK_FALSE(story.grant(nic, net0));
    REQUIRE((story.reset(nic, ResetKind::none, false) && story.assign(nic, net0, all<16>(8))));
    CHECK_FALSE(story.gate(nic, net0)); // its VM does not run yet
    REQUIRE(story.start(net0));
    CHECK_FALSE(story.gate(nic, spare)); // another VM's
    CHECK_FALSE(story.grant(nic, net0)); // no gate
    REQUIRE((story.gate(nic, net0) && story.grant(nic, net0)));
    CHECK(story.replay().device(nic).state == CustodyState::assigned);
    CHECK_FALSE(story.replay().device(nic).bootstrap);
    CHECK(story.replay().device(nic).grant_id == grant_id);
    CHECK_FALSE(story.gate(nic, net0)); // the verifier has looked
    REQUIRE((story.drain(nic, net0) && story.stop(net0) && story.reset(nic, ResetKind::none, false)));
    CHECK(story.quarantine(nic, story.id(net0)));
}

TEST_CASE("a device under a bootstrap grant goes back like any other, and its gate is gone with the VM", "[custody_replay][bootstrap]") {
    Story story;
    REQUIRE((story.unseen(nic, net0) && story.gate(nic, net0)));
    REQUIRE(story.stop(net0));
    CHECK_FALSE(story.grant(nic, net0)); // the gate was of the VM that ran
    REQUIRE((story.reset(nic, ResetKind::none, false) && story.assign(nic, net0, all<16>(8)) && story.start(net0, 2) && story.gate(nic, net0)));
    CHECK(story.replay().device(nic).bootstrap);
    REQUIRE((story.drain(nic, net0, Cause::lease_expired) && story.stop(net0, Cause::lease_expired)));
    CHECK_FALSE(story.grant(nic, net0));
    REQUIRE((story.reset(nic, ResetKind::none, false) && story.quarantine(nic, story.id(net0))));
    CHECK_FALSE(story.replay().device(nic).bootstrap);
    CHECK_FALSE((story.gate(nic, net0, story.id(net0)) && story.bootstrap(nic, net0))); // once in a launch
}

namespace {

/// Lets the hypervisor's machine live through random events and replays what it records, entry by entry.
class Mirror {
public:
    explicit Mirror(unsigned seed) : random_{seed} {
        bench_.machine.on_record = [this](const LedgerEntry& entry) { replay(entry); };
        bench_.begin();
        if (seed % 2 == 0) bootstraps_ += bench_.submit_opened(bench_.bootstrap(nic, net0)) == GrantError::none;
    }

    void step() {
        bench_.now += pick(4) == 0 ? pick(4000) : pick(200); // leases lapse, restarts happen
        bench_.machine.reset_progress = static_cast<ResetProgress>(pick(3));
        bench_.machine.attach_works = pick(8) != 0;
        switch (pick(9)) {
        case 8: bench_.custody->snapshot_taken(pick(4), all<32>(static_cast<std::uint8_t>(pick(3)))); break;
        case 0:
        case 1: offer_grant(); break;
        case 2: stop(); break;
        case 6: message(grant::Type::renewal); break;
        case 7: message(grant::Type::revocation); break;
        case 3:
            for (VmIndex vm = 0; vm < 4; ++vm) bench_.custody->vm_ready(vm);
            break;
        case 4:
            for (DeviceIndex d = 0; d < 3; ++d) bench_.custody->reset_done(d, pick(4) != 0);
            break;
        case 5: bench_.custody->tick(bench_.now); break;
        }
        compare();
    }
    std::size_t entries() const { return entries_; }
    std::size_t restarts() const { return restarts_; }
    std::size_t warm() const { return warm_; }
    std::size_t bootstraps() const { return bootstraps_; }
    std::size_t confirmations() const { return confirmations_; }

private:
    std::size_t pick(std::size_t count) { return random_() % count; }

    void offer_grant() {
        const DeviceIndex device = pick(3);
        const policy::Device& listed = bench_.policy.devices[device];
        const VmIndex vm = listed.holders[pick(listed.holder_count)];
        const bool bootstrap = pick(2) == 0 && bench_.submit_opened(bench_.bootstrap(device, vm)) == GrantError::none;
        bootstraps_ += bootstrap;
        const bool unseen = bench_.custody->device(device).bootstrap;
        const Claims claims = bench_.claims(device, vm);
        if (bootstrap || bench_.submit(claims) != GrantError::none) return;
        confirmations_ += unseen;
        last_ = claims;
    }
    void message(grant::Type type) {
        if (!last_ || (type == grant::Type::revocation && pick(4) != 0)) return;
        Claims claims = bench_.renewal(*last_);
        claims.type = type;
        static_cast<void>(bench_.submit(claims));
    }
    void stop() {
        const VmIndex vm = pick(4);
        const Cause cause = std::array{Cause::vm_crashed, Cause::vm_exited, Cause::operator_order}[pick(3)];
        const custody::Order order = std::array{custody::Order::stop, custody::Order::start, custody::Order::start,
                                                custody::Order::restart}[pick(4)];
        if (pick(4) == 0) (void)bench_.custody->order(vm, order);
        else if (bench_.machine.running.count(vm) != 0) bench_.stopped(vm, cause);
    }

    void replay(const LedgerEntry& entry) {
        ++entries_;
        if (entry.kind == LedgerKind::launched) return;
        if (entry.kind == LedgerKind::vm_defined) {
            ids_.push_back(measure::vm_id_of(entry.definition));
            replay_ = CustodyReplay{bench_.policy, bench_.custody->launch().id, ids_};
            return;
        }
        LedgerEntry kept = entry; // the gate's bytes die with the call, the replay keeps views
        gates_.push_back(std::make_unique<std::vector<std::uint8_t>>(entry.gate_request.begin(), entry.gate_request.end()));
        kept.gate_request = *gates_.back();
        for (DeviceIndex d = 0; d < 3; ++d)
            if (entry.kind == LedgerKind::assigned && entry.device == bench_.policy.devices[d].address)
                restarts_ += replay_.device(d).held();
        warm_ += entry.kind == LedgerKind::vm_started && entry.snapshot;
        CAPTURE(name_of(entry.kind), entries_);
        REQUIRE(replay_.apply(kept));
    }

    void compare() {
        for (DeviceIndex d = 0; d < 3; ++d) {
            const bool assigned = replay_.device(d).state == CustodyState::assigned;
            REQUIRE(assigned == (bench_.state(d) == DeviceState::assigned));
            REQUIRE(replay_.device(d).tainted_by == bench_.custody->device(d).tainted_by);
            if (assigned) REQUIRE(replay_.device(d).bootstrap == bench_.custody->device(d).bootstrap);
            if (assigned) REQUIRE(replay_.device(d).grant_id == bench_.custody->device(d).grant_id);
            if (assigned) REQUIRE(replay_.device(d).gate_nonce == bench_.custody->device(d).gate_nonce);
            for (std::size_t slot = 0; slot < bench_.policy.devices[d].holder_count; ++slot) {
                const bool open = !replay_.open_gate(d, bench_.policy.devices[d].holders[slot]).empty();
                REQUIRE(open == bench_.gate_open(d, slot));
            }
        }
        for (VmIndex vm = 0; vm < 4; ++vm) REQUIRE(replay_.vm(vm).starts == bench_.custody->vm(vm).starts);
    }

    std::mt19937 random_;
    Bench bench_;
    std::optional<Claims> last_;
    std::vector<measure::VmId> ids_;
    std::vector<std::unique_ptr<std::vector<std::uint8_t>>> gates_;
    CustodyReplay replay_;
    std::size_t entries_ = 0, restarts_ = 0, warm_ = 0, bootstraps_ = 0, confirmations_ = 0;
};

} // namespace

TEST_CASE("what the hypervisor's custody records, the verifier's replay accepts and agrees with", "[custody_replay]") {
    std::size_t entries = 0, restarts = 0, warm = 0, bootstraps = 0, confirmations = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        Mirror mirror{seed};
        for (int i = 0; i < 300; ++i) mirror.step();
        entries += mirror.entries();
        restarts += mirror.restarts();
        warm += mirror.warm();
        bootstraps += mirror.bootstraps();
        confirmations += mirror.confirmations();
    }
    CHECK(entries > 5000);
    CHECK(restarts > 50);
    CHECK(warm > 10);
    CHECK(bootstraps >= 20);
    CHECK(confirmations > 2);
}
