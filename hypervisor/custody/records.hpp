// SPDX-License-Identifier: Apache-2.0
// What custody knows of each device and VM. Read by the status of the control device; written by Custody only.
#pragma once

#include "attest/grant/grant.hpp"
#include "hypervisor/custody/actions.hpp"
#include "policy/model/policy.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace casemate::custody {

/// Numbers of docs/interfaces/control.md.
enum class DeviceState : std::uint8_t {
    quarantined = 0,
    resetting = 1,
    assigned = 2,
    draining = 3,
    waiting = 4
};

///   ready --start--> running --stop asked--> stopping --has stopped--> stopped --wiped, loaded again--> ready
///                       '---------- crash, exit ----------------------->'
enum class VmState : std::uint8_t { ready, running, stopping, stopped };

/// The open request of one VM for one device; its nonce names exactly this state of both.
struct Gate {
    bool open = false;
    measure::GateNonce nonce{};
};

inline constexpr std::uint64_t stop_ms = 80; // to fence, to stop the VM, to record it: a few scheduler ticks
inline constexpr std::uint64_t flr_ms = 100; // a function level reset [PCIe 6.6.2]

// A VM that ends by itself is restarted under its live grants: the first time at once, then after 1, 2, 4 s and so on; after as
// many restarts as the policy says, none of which ran quietly for as long as it says, its devices go back.
inline constexpr std::uint64_t first_restart_delay_ms = 1000;

/// What the hypervisor found on the bus.
struct DeviceFacts {
    bool present = false; // there, and vendor and device id are the policy's
    measure::DeviceIdentity identity;
    measure::Isolation isolation;
};

struct DeviceRecord {
    DeviceFacts facts;
    DeviceState state = DeviceState::quarantined;
    std::array<Gate, policy::max_holders> gates{}; // in the order of policy::Device::holders
    std::optional<measure::VmId> tainted_by;       // held by this image since its last working reset
    measure::ResetKind last_reset = measure::ResetKind::none;

    // --- the grant; only while not quarantined
    VmIndex holder = 0;
    measure::GrantId grant_id{};
    measure::GateNonce gate_nonce{};
    std::uint8_t rights = 0;
    std::uint64_t evidence_clock = 0; // TPM time of the evidence that it rests on
    std::uint64_t deadline = 0;       // ms since the launch
    bool going_back = false;          // on its way to quarantine
    bool was_attached = false;        // the holder has touched it, maybe before a restart
    bool bootstrap = false;           // under a bootstrap grant: its gate is open still, for the verifier to look

    /// When its way back begins: early enough to be in quarantine at the deadline, so no lease is longer than granted.
    [[nodiscard]] std::uint64_t lapses_at() const {
        const bool flr = facts.isolation.reset_kind == measure::ResetKind::function_level;
        const std::uint64_t way_back = stop_ms + (flr ? flr_ms : 0);
        return deadline > way_back ? deadline - way_back : 0;
    }
    /// There is a live grant: the device is at its holder or on its way there.
    [[nodiscard]] bool granted() const { return state != DeviceState::quarantined && !going_back; }
};

/// What an operator may want of a driver VM; numbers of docs/interfaces/control.md, as those of the answer.
enum class Order : std::uint32_t { stop = 1, start = 2, restart = 3 };
enum class OrderError : std::uint8_t { none = 0, order, vm, not_a_driver, state, no_grant, log_full };

struct VmRecord {
    measure::VmId id{};
    VmState state = VmState::ready;
    std::uint32_t starts = 0;
    std::uint64_t started_at = 0; // ms since the launch, as all times
    std::uint64_t not_before = 0; // no restart earlier
    bool ordered = false;         // to stop, by the operator: it runs until it has stopped, and its grants outlive that
    bool held = false;            // by the operator: it does not start
    bool warm = false;            // its next start goes on from its snapshot
    std::optional<measure::Sha256Digest> snapshot; // recorded in the ledger
    std::uint32_t restarts = 0;   // since it last ran quietly, or was not restarted
};

} // namespace casemate::custody
