// SPDX-License-Identifier: Apache-2.0
// Replays the custody ledger: the state machine of design section "device custody" as the hypervisor must have walked
// it. An entry that no state allows breaks the ledger. Pure; fed with entries whose log replays to the quote.
//
//                                                     .------ vm_stopped, by itself (restart) ------.
//                                                     v                                             |
//   quarantined --grant_accepted--> resetting --device_reset--> reset --assigned--> assigned
//     ^  ^ gate_opened*                 | draining               |  | draining           | draining
//     |  '---- reset failed ------------|------------------------'  |                    |
//     |                                 v                           v                    |
//     '----------- quarantined ---- drained <--- device_reset --- draining <-------------'   (reset --draining--> drained)
//
// bootstrap_accepted is a grant_accepted that the verifier has not looked for: the ledger's first grant or none, by the policy's leave. While
// its holder runs the device has a gate, and the grant_accepted that answers it takes its place: the device stays assigned.
#pragma once

#include "dlaunch/measure/ledger_entry.hpp"
#include "policy/model/policy.hpp"

#include <array>

namespace casemate::attest {

enum class CustodyState : std::uint8_t {
    quarantined,
    resetting,  // granted, not yet reset; or its holder ended by itself and has not got it again
    reset,      // reset done; assigned or quarantined follows
    assigned,
    draining,   // going back, not yet reset
    drained,    // reset done; quarantined follows
};

struct DeviceCustody {
    CustodyState state = CustodyState::quarantined;
    std::size_t holder = 0; // index of the VM; only while not quarantined
    measure::GrantId grant_id{};
    measure::GateNonce gate_nonce{}; // of the gate that the grant answered
    std::uint32_t lease_seconds = 0;
    bool bootstrap = false; // under a bootstrap grant still
    measure::Sha256Digest grant_digest{}; // of the grant's message
    measure::ResetKind last_reset = measure::ResetKind::none; // the last that worked or was tried
    bool last_reset_worked = false;
    std::uint32_t assignments = 0; // under this grant: one, and one more for each restart of its holder
    bool holder_stopped = false;   // its VM has stopped since it was assigned: it goes back, or comes again after a reset
    std::optional<measure::VmId> tainted_by;

    [[nodiscard]] bool held() const { return assignments > 0; }
    /// It is at `vm`, which has it by a bootstrap grant: the verifier is to look.
    [[nodiscard]] bool unseen_at(std::size_t vm) const { return bootstrap && state == CustodyState::assigned && holder == vm; }
    /// Its grant is live: it is at its holder, or on its way to it.
    [[nodiscard]] bool granted() const {
        return state == CustodyState::resetting || state == CustodyState::reset || state == CustodyState::assigned;
    }
};

struct VmCustody {
    measure::VmId id{};
    bool running = false;
    std::uint32_t starts = 0;
    std::optional<measure::Sha256Digest> snapshot; // what it may go on from
};

class CustodyReplay {
public:
    CustodyReplay() = default;
    /// `policy` outlives this; `vm_ids` in policy order, as defined in the ledger.
    CustodyReplay(const policy::Policy& policy, const measure::LaunchId& launch_id,
                  std::span<const measure::VmId> vm_ids);

    /// False: the machine does not allow this entry here (`launched` and `vm_defined` never are: they come before).
    [[nodiscard]] bool apply(const measure::LedgerEntry& entry);

    [[nodiscard]] const DeviceCustody& device(std::size_t index) const { return devices_[index]; }
    [[nodiscard]] const VmCustody& vm(std::size_t index) const { return vms_[index]; }
    /// The encoded gate request that is open for this device and VM; empty when none is.
    [[nodiscard]] ByteView open_gate(std::size_t device, std::size_t vm) const { return gates_[device][vm]; }
    /// Indices in the policy; nothing when it does not list it.
    [[nodiscard]] std::optional<std::size_t> find_device(const DeviceAddress& address) const;
    [[nodiscard]] std::optional<std::size_t> find_vm(const measure::VmId& id) const;

private:
    bool gate_opened(const measure::LedgerEntry& entry);
    bool grant_accepted(const measure::LedgerEntry& entry);
    [[nodiscard]] bool may_bootstrap(const measure::LedgerEntry& entry, std::size_t device) const;
    bool device_reset(const measure::LedgerEntry& entry);
    bool assigned(const measure::LedgerEntry& entry);
    bool vm_started(const measure::LedgerEntry& entry);
    bool vm_stopped(const measure::LedgerEntry& entry);
    bool draining(const measure::LedgerEntry& entry);
    bool quarantined(const measure::LedgerEntry& entry);
    bool secret_released(const measure::LedgerEntry& entry) const;
    bool snapshot_taken(const measure::LedgerEntry& entry);

    bool holds_a_device(std::size_t vm) const;
    DeviceCustody* device_of(const measure::LedgerEntry& entry);
    void close_gates_of_vm(std::size_t vm);

    const policy::Policy* policy_ = nullptr;
    measure::LaunchId launch_id_{};
    bool granted_before_ = false; // anything in this launch
    std::array<DeviceCustody, policy::max_devices> devices_{};
    std::array<VmCustody, policy::max_vms> vms_{};
    std::array<std::array<ByteView, policy::max_vms>, policy::max_devices> gates_{};
};

} // namespace casemate::attest
