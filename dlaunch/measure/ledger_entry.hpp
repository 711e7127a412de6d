// SPDX-License-Identifier: Apache-2.0
// One entry of the custody ledger in PCR 19: a flat value, of which `kind` says which fields count.
// Written by the hypervisor (encode, then extend the digest over the whole event data in every bank), read by the
// verifier. The rules between entries are not here: attest/appraise replays them.
#pragma once

#include "dlaunch/measure/custody_types.hpp"
#include "dlaunch/measure/launch_events.hpp"
#include "dlaunch/measure/launch_layout.hpp"

namespace casemate::measure {

enum class LedgerKind : std::uint8_t {
    launched = 0,
    vm_defined,
    gate_opened,
    grant_accepted,
    device_reset,
    assigned,
    vm_started,
    vm_stopped,
    draining,
    quarantined,
    secret_released,
    snapshot_taken,
    bootstrap_accepted, // as grant_accepted, of a grant that nobody looked for
};
inline constexpr LedgerKind last_ledger_kind = LedgerKind::bootstrap_accepted;
[[nodiscard]] const char* name_of(LedgerKind kind);

inline constexpr std::size_t max_ledger_event = 1536; // event data of any entry
inline constexpr std::size_t max_secret_name = 64;

struct LedgerEntry {
    LedgerKind kind = LedgerKind::launched;
    std::uint64_t sequence = 0;
    std::uint64_t time_ms = 0; // since the launch

    LaunchId launch_id{};                                          // launched
    launch::LaunchKind launch_kind = launch::LaunchKind::unmeasured; // launched
    ByteView definition{};                                           // vm_defined: an encoded VmDefinition
    ByteView gate_request{};                                         // gate_opened: an encoded GateRequest
    VmId vm_id{};               // grant_accepted, assigned, vm_started, vm_stopped, draining, secret_released, snapshot_taken, bootstrap_accepted
    DeviceAddress device{};     // grant_accepted, device_reset, assigned, draining, quarantined
    GrantId grant_id{};         // grant_accepted, assigned
    std::uint32_t lease_seconds = 0;       // grant_accepted
    Sha256Digest grant_digest{};           // grant_accepted: SHA-256 of the COSE message
    ResetKind reset_kind = ResetKind::none; // device_reset
    bool worked = false;                   // device_reset
    std::uint32_t start_number = 0;        // vm_started: 1 = first
    Cause cause = Cause::none;             // vm_stopped, draining
    std::uint64_t reason = 0;              // vm_stopped
    std::optional<VmId> tainted_by{};      // quarantined
    std::string_view name{};               // secret_released
    std::optional<Sha256Digest> snapshot{}; // snapshot_taken; vm_started: what it went on from, or nothing
};

/// Event data (tag, size, payload), written into `out`; empty when it does not fit max_ledger_event or `out`.
[[nodiscard]] ByteView encode(ByteSpan out, const LedgerEntry& entry);
/// The payload as an entry with views into it, or nothing when it is not the one encoding of an entry.
[[nodiscard]] std::optional<LedgerEntry> parse_ledger_entry(ByteView payload);

} // namespace casemate::measure
