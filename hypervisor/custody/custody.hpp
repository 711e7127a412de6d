// SPDX-License-Identifier: Apache-2.0
// Device custody: who may hold which device, decided by verified grants only, every step recorded before it is taken.
//
//                          .---------------- VM ended by itself -----------------.
//                          v                                                     |
//  QUARANTINED --grant--> RESETTING --worked--> WAITING --VM can have it--> ASSIGNED --expiry, revocation,--> DRAINING
//    ^   gates open          |                     |                                   VM stopped for good        |
//    '------- reset failed --'<--------------------'                                                   VM is stopped,
//    '------------------------------ reset ended ------ RESETTING <---------------------------------- detached ---'
//
// Invariants: a device is attached exactly while ASSIGNED or DRAINING; it is ASSIGNED only under a live lease to a running
// VM; a gate is open only while its device is QUARANTINED and its VM can be started; a device that could not be reset
// goes only to the image that held it. Towards the holder, a step that cannot be recorded is not taken; on the way back
// it is taken all the same, and from then on every device goes back and no grant is accepted.
// A VM that ends by itself (crash, exit, hang) keeps its grants and leases: its devices are cut off and reset at once, and wait until
// it is wiped and loaded again. It starts when none of them is resetting any more. Too many restarts end in quarantine.
// The agent is restarted by the same rule. A client is not.
// An operator's order to stop or restart a driver VM is such an end too; a VM told to stop is held: it does not start, whatever it
// is granted, until it is told to.
// A bootstrap grant, opened by the TPM, is taken as the first grant of a launch only. Its device is held as any other, and has a gate all
// the while that its VM runs: the verifier's grant that answers it takes its place. It is never renewed.
// Who calls it: the hypervisor's control device (submit), machine hooks and tick; on one core at a time.
// All times are milliseconds since the launch, never falling. No allocation, no waiting.
#pragma once

#include "hypervisor/custody/records.hpp"

#include <span>

namespace casemate::custody {

struct Launch {
    measure::LaunchId id{};
    launch::LaunchKind kind = launch::LaunchKind::unmeasured;
};

/// Has the TPM opened the seal of a bootstrap grant, here and now, for the VM that it names?
enum class Seal : std::uint8_t { none, opened };

class Custody {
public:
    /// `policy` is validated and outlives this; `grant_keys` are its verifier-grant keys.
    Custody(CustodyActions& actions, const policy::Policy& policy, const grant::Keys& grant_keys, const Launch& launch)
        : actions_{actions}, policy_{policy}, grant_keys_{grant_keys}, launch_{launch} {}

    /// Once, when all VMs are built: records the launch and every VM, opens the gates, starts the VMs that are no
    /// drivers. Both lists are in policy order and complete; definitions are encoded. False: the ledger does not take
    /// it and nothing may run.
    [[nodiscard]] bool begin(std::span<const ByteView> vm_definitions, std::span<const DeviceFacts> devices);

    // --- events
    /// UNTRUSTED message: a grant, renewal or revocation. `none` means accepted.
    [[nodiscard]] grant::GrantError submit(ByteView message, std::uint64_t now_ms, Seal seal = Seal::none);
    /// UNTRUSTED order about any index: stop, which lasts until a start; start or restart, only under a live grant and by the
    /// rule of a restart after a crash.
    [[nodiscard]] OrderError order(VmIndex vm, Order order);
    /// Takes back what lapses, starts what waited long enough; call it every scheduler tick.
    void tick(std::uint64_t now_ms);
    /// None of the VM's instructions runs any more. When this returns, its devices reach none of its memory. Of a VM that
    /// did not run: it never will, or shall not; what is on its way to it goes back.
    void vm_stopped(VmIndex vm, measure::Cause cause, std::uint64_t reason);
    /// The VM can go on from a snapshot from now on: the first restart of each row does, if the ledger takes the digest.
    void snapshot_taken(VmIndex vm, const measure::Sha256Digest& digest);
    /// The stopped VM is wiped and loaded again, or as its snapshot has it if VmRecord::warm.
    void vm_ready(VmIndex vm);
    void reset_done(DeviceIndex device, bool worked);

    // --- state
    [[nodiscard]] const DeviceRecord& device(DeviceIndex index) const { return devices_[index]; }
    [[nodiscard]] const VmRecord& vm(VmIndex index) const { return vms_[index]; }
    [[nodiscard]] const policy::Policy& policy() const { return policy_; }
    [[nodiscard]] const Launch& launch() const { return launch_; }
    /// Changes whenever a gate, device or VM changes.
    [[nodiscard]] std::uint32_t changes() const { return changes_; }
    [[nodiscard]] measure::GateRequest gate_request(DeviceIndex device, std::size_t slot) const;
    /// Calls visit(GateRequest) for every open gate.
    template <typename Visitor>
    void for_each_open_gate(Visitor visit) const {
        for (DeviceIndex d = 0; d < policy_.device_count; ++d)
            for (std::size_t slot = 0; slot < policy_.devices[d].holder_count; ++slot)
                if (devices_[d].gates[slot].open) visit(gate_request(d, slot));
    }

private:
    using LedgerEntry = measure::LedgerEntry;
    using LedgerKind = measure::LedgerKind;

    /// A grant whose device and VM are in the policy.
    struct Request {
        const grant::Claims& claims;
        DeviceIndex device;
        std::size_t slot;
        VmIndex vm;
    };

    // submit.cpp
    grant::GrantError locate(const grant::Claims& claims, DeviceIndex& device, std::size_t& slot) const;
    grant::GrantError check_terms(const Request& request) const;
    grant::GrantError check_grant(const Request& request) const;
    grant::GrantError run_lease(const grant::Claims& claims, std::uint64_t now_ms, DeviceRecord& device);
    grant::GrantError accept(const Request& request, ByteView message, std::uint64_t now_ms);
    grant::GrantError renew(const Request& request, std::uint64_t now_ms);
    grant::GrantError revoke(const Request& request);
    bool used_before(const measure::GrantId& id) const;

    // gates.cpp
    bool gate_possible(DeviceIndex device, VmIndex vm) const;
    void renew_gate(DeviceIndex device, std::size_t slot);
    void renew_gates_of_device(DeviceIndex device);
    void renew_gates_of_vm(VmIndex vm);

    // custody.cpp
    bool record(const LedgerEntry& entry);
    void record_way_back(const LedgerEntry& entry);
    bool has_room(std::size_t entries) const;
    bool start_vm(VmIndex vm);
    bool granted_to(DeviceIndex device, VmIndex vm) const {
        return devices_[device].granted() && devices_[device].holder == vm;
    }
    bool attached(DeviceIndex device) const;
    bool has_grant(VmIndex vm) const;
    bool plan_restart(VmIndex vm, measure::Cause& cause);
    void hand_over(VmIndex vm);
    bool assign(DeviceIndex device);
    void reset(DeviceIndex device);
    void take_back(DeviceIndex device, measure::Cause cause);
    void mark_going_back(DeviceIndex device, measure::Cause cause);
    void detach(DeviceIndex device);
    void quarantine(DeviceIndex device);

    CustodyActions& actions_;
    const policy::Policy& policy_;
    const grant::Keys grant_keys_;
    const Launch launch_;
    std::array<DeviceRecord, policy::max_devices> devices_{};
    std::array<VmRecord, policy::max_vms> vms_{};
    /// The latest accepted ids. A replay fails at its gate nonce in any case; this gives it its own reason.
    std::array<measure::GrantId, 64> used_{};
    std::size_t used_count_ = 0;
    std::uint64_t now_ms_ = 0; // of the last tick
    std::uint32_t changes_ = 0;
    bool ledger_lost_ = false;
};

} // namespace casemate::custody
