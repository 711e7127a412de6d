// SPDX-License-Identifier: Apache-2.0
// Random walks: any order of events, good and bad messages, failing resets, attachments, ledger and random numbers. After
// each step the invariants of custody.hpp hold, and the ledger tells a story that its grammar allows.
#include "tests/unit/custody_machine.hpp"

#include <random>
#include <utility>

using namespace casemate;
using namespace casemate::test;

namespace {

class Walk {
public:
    explicit Walk(unsigned seed) : random_{seed} {
        bench_.machine.room = 100 + pick(2000);
        bench_.begin();
    }

    void step() {
        bench_.now += pick(4000);
        switch (pick(13)) {
        case 0:
        case 1:
        case 2: offer_grant(); break;
        case 3: offer_renewal(); break;
        case 4: offer_revocation(); break;
        case 5: replay(); break;
        case 6: stop(); break;
        case 7:
        case 8: bench_.custody->vm_ready(pick(4)); break;
        case 9:
        case 10: bench_.custody->reset_done(pick(3), pick(4) != 0); break;
        case 11: change_world(); break;
        case 12: (void)bench_.custody->order(pick(5), static_cast<custody::Order>(pick(5))); break;
        }
        bench_.custody->tick(bench_.now);
        check();
    }

    std::size_t accepted() const { return accepted_; }

private:
    std::size_t pick(std::size_t count) { return random_() % count; }

    void submit(const Claims& claims) {
        if (bench_.submit(claims) != GrantError::none) return;
        ++accepted_;
        if (claims.type == grant::Type::grant) history_.push_back(claims);
    }
    void offer_grant() {
        const DeviceIndex device = pick(3);
        const policy::Device& listed = bench_.policy.devices[device];
        Claims claims = bench_.claims(device, pick(4) == 0 ? pick(4) : listed.holders[pick(listed.holder_count)]);
        if (pick(4) == 0) claims.gate_nonce[0] ^= 1;
        claims.lease = 1 + pick(70);
        if (pick(4) == 0) (void)bench_.submit_opened(bench_.bootstrap(device, listed.holders[pick(listed.holder_count)]));
        submit(aged(claims));
    }
    /// Evidence that was kept back for some time.
    Claims aged(Claims claims) {
        if (pick(4) == 0) claims.evidence_clock -= pick(40'000);
        return claims;
    }
    void offer_renewal() {
        if (history_.empty()) return;
        const Claims& claims = history_[history_.size() - 1 - pick(std::min<std::size_t>(3, history_.size()))];
        for (DeviceIndex d = 0; d < 3; ++d)
            if (bench_.custody->device(d).grant_id == claims.id) submit(aged(bench_.renewal(claims)));
    }
    void offer_revocation() {
        if (!history_.empty()) submit(Bench::revocation(history_[pick(history_.size())]));
    }
    void replay() {
        if (history_.empty()) return;
        REQUIRE(bench_.submit(history_[pick(history_.size())]) != GrantError::none);
    }
    void stop() {
        const VmIndex vm = pick(4);
        if (bench_.custody->vm(vm).state == VmState::stopping || pick(3) == 0) {
            const std::size_t stops = bench_.machine.running.count(vm);
            if (stops != 0) bench_.stopped(vm, pick(3) == 0 ? Cause::operator_order : Cause::vm_crashed);
        }
    }
    void change_world() {
        RecordingMachine& machine = bench_.machine;
        machine.reset_progress = static_cast<ResetProgress>(pick(3));
        machine.attach_works = pick(8) != 0;
        machine.has_random = pick(8) != 0;
        if (pick(400) == 0) machine.records = false;
    }

    void check() const {
        for (DeviceIndex d = 0; d < 3; ++d) check_device(d);
        for (VmIndex v = 0; v < 4; ++v) check_vm(v);
    }
    void check_device(DeviceIndex d) const {
        const custody::DeviceRecord& device = bench_.custody->device(d);
        const bool attached = bench_.machine.attached.count(d) == 1;
        REQUIRE(attached == (device.state == DeviceState::assigned || device.state == DeviceState::draining));
        if (device.state == DeviceState::assigned) {
            REQUIRE(bench_.now < device.lapses_at());
            REQUIRE(bench_.clock() - device.evidence_clock < 1000 * 60); // the policy's longest lease
            REQUIRE(bench_.machine.attached.at(d) == device.holder);
            REQUIRE(bench_.machine.running.count(device.holder) == 1);
        }
        if (attached && device.tainted_by)
            REQUIRE(*device.tainted_by == bench_.custody->vm(bench_.machine.attached.at(d)).id);
        for (std::size_t slot = 0; slot < bench_.policy.devices[d].holder_count; ++slot) {
            if (!device.gates[slot].open) continue;
            const bool unseen = device.bootstrap && device.state == DeviceState::assigned;
            REQUIRE((device.state == DeviceState::quarantined || unseen));
            const VmState vm = bench_.custody->vm(bench_.policy.devices[d].holders[slot]).state;
            REQUIRE((vm == VmState::ready || vm == VmState::running));
        }
    }
    void check_vm(VmIndex v) const {
        const VmState state = bench_.custody->vm(v).state;
        const bool runs = state == VmState::running || state == VmState::stopping;
        REQUIRE(runs == (bench_.machine.running.count(v) == 1));
        if (!runs || v == agent) return;
        bool holds = false; // a driver runs only with a device
        for (const auto& [device, holder] : bench_.machine.attached) holds = holds || holder == v;
        REQUIRE(holds);
    }

    Bench bench_;
    std::mt19937 random_;
    std::vector<Claims> history_;
    std::size_t accepted_ = 0;

    friend void check_story(const Walk& walk);
};

/// docs/interfaces/grant.md, "Order in the ledger", read independently of the state machine.
void check_story(const Walk& walk) {
    enum class At { quarantined, accepted, reset, assigned, draining, drained };
    std::map<DeviceAddress, At> at;
    std::map<DeviceAddress, bool> worked;
    std::map<DeviceAddress, measure::VmId> holder;
    std::map<DeviceAddress, measure::GrantId> grant;
    std::set<DeviceAddress> bootstrap; // held by such a grant
    for (const LedgerEntry& entry : walk.bench_.machine.ledger) {
        At& state = at[entry.device];
        switch (entry.kind) {
        case LedgerKind::grant_accepted:
        case LedgerKind::bootstrap_accepted:
            if (state == At::assigned && bootstrap.count(entry.device) != 0) REQUIRE(holder[entry.device] == entry.vm_id); // it stays there
            else REQUIRE(std::exchange(state, At::accepted) == At::quarantined);
            bootstrap.erase(entry.device);
            if (entry.kind == LedgerKind::bootstrap_accepted) REQUIRE(bootstrap.insert(entry.device).second);
            holder[entry.device] = entry.vm_id;
            grant[entry.device] = entry.grant_id;
            break;
        case LedgerKind::draining:
            REQUIRE((state == At::accepted || state == At::assigned || state == At::reset));
            state = state == At::reset ? At::drained : At::draining;
            break;
        case LedgerKind::vm_stopped: // of a VM that ended by itself the devices may come again, after a reset
            for (auto& [device, where] : at)
                if (where == At::assigned && holder[device] == entry.vm_id && measure::leaves_grants(entry.cause))
                    where = At::accepted;
            break;
        case LedgerKind::device_reset:
            REQUIRE((state == At::accepted || state == At::draining));
            state = state == At::accepted ? At::reset : At::drained;
            worked[entry.device] = entry.worked || entry.reset_kind == ResetKind::none;
            break;
        case LedgerKind::assigned:
            REQUIRE(state == At::reset);
            REQUIRE(worked[entry.device]);
            REQUIRE(holder[entry.device] == entry.vm_id);
            REQUIRE(grant[entry.device] == entry.grant_id);
            state = At::assigned;
            break;
        case LedgerKind::quarantined:
            REQUIRE((state == At::reset || state == At::drained));
            state = At::quarantined;
            break;
        default: break;
        }
    }
}

} // namespace

TEST_CASE("no sequence of events breaks an invariant of custody", "[custody]") {
    std::size_t accepted = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        Walk walk{seed};
        for (int i = 0; i < 500; ++i) walk.step();
        check_story(walk);
        accepted += walk.accepted();
    }
    CHECK(accepted > 1000); // the walks go somewhere
}
