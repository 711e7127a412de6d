// SPDX-License-Identifier: Apache-2.0
// A recording machine under a Custody, with a policy of four VMs and three devices, for the custody tests:
//   nic  (no reset)  may be held by net0 and spare     disk (FLR) by disk0     extra (FLR) by net0, its second device
// The machine itself checks the order of what it is asked to do.
#pragma once

#include "attest/grant/grant_sign.hpp"
#include "hypervisor/custody/custody.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace casemate::test {

using custody::Custody;
using custody::DeviceIndex;
using custody::DeviceState;
using custody::ResetProgress;
using custody::VmIndex;
using custody::VmState;
using grant::Claims;
using grant::GrantError;
using measure::Cause;
using measure::LedgerEntry;
using measure::LedgerKind;
using measure::ResetKind;

inline constexpr VmIndex agent = 0, net0 = 1, disk0 = 2, spare = 3;
inline constexpr DeviceIndex nic = 0, disk = 1, extra = 2;

class RecordingMachine : public custody::CustodyActions {
public:
    bool random_nonce(measure::GateNonce& nonce) override {
        if (!has_random) return false;
        ++nonces;
        for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(nonces >> 8 * (i % 4));
        return true;
    }
    std::optional<std::uint64_t> tpm_clock() override {
        ++clock_reads;
        if (!has_clock) return std::nullopt;
        return clock_at_launch + *now;
    }
    bool ledger_has_room(std::size_t entries) override { return entries <= room; }
    bool record(const LedgerEntry& entry) override {
        if (room == 0 || !records) return false;
        --room;
        std::uint8_t buffer[measure::max_ledger_event];
        const ByteView encoded = measure::encode(buffer, entry);
        REQUIRE_FALSE(encoded.empty());
        if (entry.kind != LedgerKind::vm_defined) REQUIRE(encoded.size() <= custody::max_routine_event);
        if (on_record) on_record(entry);
        ledger.push_back(entry);
        ledger.back().definition = ledger.back().gate_request = {}; // views that die
        return true;
    }
    ResetProgress start_reset(DeviceIndex device) override {
        REQUIRE(attached.count(device) == 0);
        log("reset", device);
        return reset_progress;
    }
    bool attach(DeviceIndex device, VmIndex vm) override {
        REQUIRE(attached.count(device) == 0);
        REQUIRE(ledger.back().kind == LedgerKind::assigned);
        log("attach", device);
        if (attach_works) attached[device] = vm;
        return attach_works;
    }
    void detach(DeviceIndex device) override {
        if (attached.count(device)) REQUIRE(running.count(attached[device]) == 0); // the vCPU is stopped first
        log("detach", device);
        attached.erase(device);
    }
    void start_vm(VmIndex vm) override {
        REQUIRE(running.insert(vm).second);
        log("start", vm);
    }
    void stop_vm(VmIndex vm, Cause) override {
        REQUIRE(running.count(vm) == 1);
        log("stop", vm);
    }

    void log(const char* what, std::size_t index) { calls.push_back(std::string{what} + " " + std::to_string(index)); }

    std::function<void(const LedgerEntry&)> on_record; // while the entry's views live
    static constexpr std::uint64_t clock_at_launch = 5'000'000; // the TPM's clock is older than the launch
    const std::uint64_t* now = nullptr;
    std::uint32_t nonces = 0, clock_reads = 0;
    std::size_t room = 10000;
    bool records = true, has_random = true, has_clock = true, attach_works = true;
    ResetProgress reset_progress = ResetProgress::worked;
    std::vector<LedgerEntry> ledger;
    std::vector<std::string> calls;
    std::map<DeviceIndex, VmIndex> attached;
    std::set<VmIndex> running;
};

inline const cose::Signer& verifier() {
    static const cose::Signer key = cose::Signer::generate().value();
    return key;
}

inline policy::Policy custody_policy() {
    policy::Policy policy = sample_policy();
    policy.vm_count = 4;
    policy.vms[disk0] = sample_vm("disk0", policy::Role::driver);
    policy.vms[spare] = sample_vm("spare", policy::Role::driver);
    policy.vms[disk0].restart = policy::Restart::warm;
    policy.device_count = 3;
    policy.devices[nic].holder_count = 2;
    policy.devices[nic].holders[1] = spare;
    policy.devices[disk].holders[0] = disk0;
    policy.devices[extra] = policy.devices[nic];
    policy.devices[extra].holder_count = 1;
    policy.devices[extra].address.device = 5;
    policy.devices[nic].bootstrap_lease = 30;
    REQUIRE(policy::validate(policy).ok());
    return policy;
}

struct Bench {
    explicit Bench(launch::LaunchKind kind = launch::LaunchKind::skinit) {
        machine.now = &now;
        measure::LaunchId id;
        id.fill(0x77);
        custody = std::make_unique<Custody>(machine, policy,
                                            measure::P256PublicKey::create(verifier().public_key()).value(),
                                            custody::Launch{id, kind});
    }
    Bench& begin() {
        REQUIRE(try_begin());
        return *this;
    }
    bool try_begin() {
        std::vector<std::vector<std::uint8_t>> definitions;
        for (std::uint8_t i = 0; i < policy.vm_count; ++i) definitions.push_back({i}); // only their digest matters
        const std::vector<ByteView> views(definitions.begin(), definitions.end());
        return custody->begin(views, facts);
    }
    std::vector<custody::DeviceFacts> all_facts() const {
        std::vector<custody::DeviceFacts> all(policy.device_count);
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].present = true;
            all[i].identity.address = policy.devices[i].address;
            all[i].isolation = {true, true, i == nic ? ResetKind::none : ResetKind::function_level, 0};
        }
        return all;
    }

    /// The claims of a good grant of `device` to `vm` in the present state.
    Claims claims(DeviceIndex device, VmIndex vm) {
        Claims claims;
        ++ids;
        for (std::size_t i = 0; i < 4; ++i) claims.id[i] = static_cast<std::uint8_t>(ids >> 8 * i);
        claims.launch_id = custody->launch().id;
        claims.vm_id = custody->vm(vm).id;
        claims.device = policy.devices[device].address;
        claims.gate_nonce = nonce(device, vm);
        claims.rights = 7;
        claims.lease = 30;
        claims.epoch = policy.epoch;
        claims.evidence_clock = clock();
        return claims;
    }
    measure::GateNonce nonce(DeviceIndex device, VmIndex vm) const {
        const policy::Device& listed = policy.devices[device];
        for (std::size_t slot = 0; slot < listed.holder_count; ++slot)
            if (listed.holders[slot] == vm) return custody->device(device).gates[slot].nonce;
        return {};
    }
    GrantError submit(const Claims& claims) {
        return custody->submit(grant::sign(claims, verifier()).value(), now);
    }
    /// The claims of a good bootstrap grant; they name no launch, no gate and no evidence.
    Claims bootstrap(DeviceIndex device, VmIndex vm) {
        Claims all = claims(device, vm);
        all.type = grant::Type::bootstrap;
        all.launch_id = {};
        all.gate_nonce = {};
        all.lease = 20;
        all.evidence_clock = 0;
        return all;
    }
    /// The TPM has opened it.
    GrantError submit_opened(const Claims& claims) {
        return custody->submit(grant::sign(claims, verifier()).value(), now, custody::Seal::opened);
    }
    Claims granted(DeviceIndex device, VmIndex vm) {
        const Claims accepted = claims(device, vm);
        REQUIRE(submit(accepted) == GrantError::none);
        return accepted;
    }
    /// On evidence of this moment.
    Claims renewal(Claims claims) const {
        claims.type = grant::Type::renewal;
        claims.evidence_clock = clock();
        return claims;
    }
    std::uint64_t clock() const { return RecordingMachine::clock_at_launch + now; }
    static Claims revocation(Claims claims) {
        claims.type = grant::Type::revocation;
        return claims;
    }
    /// The hypervisor has stopped the VM, whoever wanted it.
    void stopped(VmIndex vm, Cause cause) {
        machine.running.erase(vm);
        custody->vm_stopped(vm, cause, 9);
    }
    DeviceState state(DeviceIndex device) const { return custody->device(device).state; }
    bool gate_open(DeviceIndex device, std::size_t slot = 0) const { return custody->device(device).gates[slot].open; }
    /// The kinds of the entries from `from` on.
    std::vector<LedgerKind> kinds(std::size_t from) const {
        std::vector<LedgerKind> all;
        for (std::size_t i = from; i < machine.ledger.size(); ++i) all.push_back(machine.ledger[i].kind);
        return all;
    }

    policy::Policy policy = custody_policy();
    std::vector<custody::DeviceFacts> facts = all_facts();
    RecordingMachine machine;
    std::unique_ptr<Custody> custody;
    std::uint64_t now = 1000;
    std::uint32_t ids = 0;
};

} // namespace casemate::test
