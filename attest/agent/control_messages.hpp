// SPDX-License-Identifier: Apache-2.0
// What the hypervisor answers on the control device [control.md], as plain values: strict CBOR, nothing ignored.
// Who calls it: protocol.cpp and report.cpp. Pure; every view is copied.
#pragma once

#include "attest/agent/error.hpp"
#include "hypervisor/base/device_address.hpp"

#include <array>
#include <utility>

namespace casemate::agent {

struct Info {
    Bytes launch_id{};
    std::uint64_t policy_epoch = 0;
    std::uint64_t log_bytes = 0;
    std::uint64_t launch_kind = 0;
    std::uint64_t event_counter = 0;
    std::vector<std::uint16_t> banks{}; // TPM_ALG_ID
};

struct Lease {
    Bytes grant_id{};
    DeviceAddress device{};
    Bytes vm_id{};
    Bytes gate_nonce{};
    std::uint64_t ms_left = 0;
};

struct VmStatus {
    std::string name{};
    Bytes vm_id{};
    std::uint64_t state = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t stop_cause = 0;
    std::uint64_t stop_reason = 0;
    std::vector<std::pair<std::string, std::uint64_t>> exits{};
    std::uint64_t starts = 0;
    std::uint64_t cpu_us = 0;
};

struct DeviceStatus {
    DeviceAddress device{};
    std::uint64_t vendor = 0;
    std::uint64_t device_id = 0;
    std::uint64_t subsystem_vendor = 0;
    std::uint64_t subsystem_id = 0;
    std::uint64_t device_class = 0;
    std::uint64_t state = 0;
    Bytes holder{};
    Bytes grant_id{};
    std::uint64_t lease_ms_left = 0;
    std::uint64_t reset_kind = 0;
    Bytes tainted_by{};
};

/// One of a link's two ends: its driver, what its VM has sent and what of that was dropped.
struct LinkEnd {
    std::string vm{};
    bool running = false;
    std::uint64_t error = 0; // QueueError of vlink.md
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t notifications = 0;
    std::uint64_t interrupts = 0;
    std::vector<std::uint64_t> drops{}; // by reason
};

using LinkStatus = std::array<LinkEnd, 2>;

struct MachineStatus {
    std::uint64_t uptime_ms = 0;
    std::vector<VmStatus> vms{};
    std::vector<DeviceStatus> devices{};
    std::vector<LinkStatus> links{};
};

[[nodiscard]] Outcome<Info> parse_info(ByteView bytes);
/// Each gate request as its own CBOR, to be handed to the verifier unopened.
[[nodiscard]] Outcome<std::vector<Bytes>> parse_gates(ByteView bytes);
[[nodiscard]] Outcome<std::vector<Lease>> parse_leases(ByteView bytes);
[[nodiscard]] Outcome<MachineStatus> parse_status(ByteView bytes);
/// The GrantError of a submission; 0 = accepted.
[[nodiscard]] Outcome<std::uint64_t> parse_submission(ByteView bytes);

} // namespace casemate::agent
