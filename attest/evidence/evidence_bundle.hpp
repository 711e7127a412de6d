// SPDX-License-Identifier: Apache-2.0
// What a platform sends for one challenge, as views; UNTRUSTED throughout. And the qualifying data that binds a quote
// to one nonce, one launch and one session: made by the agent, expected by the appraiser.
#pragma once

#include "dlaunch/measure/custody_types.hpp"

#include <span>

namespace casemate::attest {

/// A lease as the agent reports it (operation `leases` of the control device). Only a claim: what counts is the
/// quoted ledger.
struct LeaseReport {
    measure::GrantId grant_id{};
    DeviceAddress device{};
    measure::VmId vm_id{};
    measure::GateNonce gate_nonce{};
    std::uint64_t ms_left = 0;
};

struct EvidenceBundle {
    ByteView quote;     // TPMS_ATTEST
    ByteView signature; // TPMT_SIGNATURE
    ByteView log;       // TCG crypto-agile event log
    std::span<const ByteView> gates{}; // encoded gate requests
    std::span<const LeaseReport> leases{};
    ByteView firmware_log{}; // of the platform's firmware, crypto-agile too; empty: not sent
};

inline constexpr std::size_t min_nonce_size = 32;

/// SHA-256(nonce || launch_id || SHA-256(challenge_id)).
[[nodiscard]] measure::Sha256Digest qualifying_data(ByteView nonce, const measure::LaunchId& launch_id,
                                                    std::string_view challenge_id);

} // namespace casemate::attest
