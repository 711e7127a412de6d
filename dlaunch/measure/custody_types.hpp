// SPDX-License-Identifier: Apache-2.0
// The words that hypervisor, grants, ledger and verifier share: ids, device identity, VM definition, gate request,
// and their only encodings (docs/interfaces/ledger.md). Plain values; text and file names are views into the source.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "hypervisor/base/device_address.hpp"

#include <optional>
#include <string_view>

namespace casemate::measure {

using VmId = Sha256Digest;
using LaunchId = std::array<std::uint8_t, 32>;
using GateNonce = std::array<std::uint8_t, 32>;
using GrantId = std::array<std::uint8_t, 16>;

inline constexpr std::size_t max_vm_name = 15;
inline constexpr std::size_t max_command_line = 1024;
inline constexpr std::size_t max_vm_definition = 1280;
inline constexpr std::size_t max_gate_request = 256;

enum class ResetKind : std::uint8_t { none = 0, function_level, secondary_bus, device_specific };
/// Why a device was taken back or a VM stopped.
enum class Cause : std::uint8_t {
    none = 0, lease_expired, revoked, vm_crashed, vm_exited, vm_hung, operator_order, reset_failed,
    restart_limit // of a device only: its VM ended by itself too often
};
/// The VM ended without having been told to: its grants outlive that, and it may be restarted under them.
constexpr bool ended_by_itself(Cause cause) {
    return cause == Cause::vm_crashed || cause == Cause::vm_exited || cause == Cause::vm_hung;
}
/// After such an end the VM may come back under the grants that it has: by itself, or when its operator says so.
constexpr bool leaves_grants(Cause cause) { return ended_by_itself(cause) || cause == Cause::operator_order; }

struct VmDefinition {
    std::string_view name{};
    std::uint8_t role = 0; // 0 agent, 1 driver, 2 client
    Sha256Digest kernel{};
    Sha256Digest initrd{};
    std::string_view command_line{};
    std::uint32_t memory_mib = 0;
    std::uint32_t vcpus = 0;
};

struct DeviceIdentity {
    DeviceAddress address{};
    std::uint16_t vendor = 0;
    std::uint16_t device_id = 0;
    std::uint16_t subsystem_vendor = 0;
    std::uint16_t subsystem_id = 0;
    std::uint32_t device_class = 0; // 24 bit: base class, subclass, programming interface
    bool operator==(const DeviceIdentity&) const = default;
};

struct Isolation {
    bool dma_remapping = false;
    bool interrupt_remapping = false;
    ResetKind reset_kind = ResetKind::none;
    std::uint32_t group = 0;
    bool operator==(const Isolation&) const = default;
};

/// "This VM asks for this device in exactly this state": dies with the nonce at any change of either.
struct GateRequest {
    GateNonce gate_nonce{};
    LaunchId launch_id{};
    VmId vm_id{};
    DeviceIdentity device{};
    Isolation isolation{};
    std::optional<VmId> tainted_by{};
};

/// The encoding, written into `out`; empty when it does not fit. A buffer of the max_ size always suffices.
[[nodiscard]] ByteView encode(ByteSpan out, const VmDefinition& definition);
[[nodiscard]] ByteView encode(ByteSpan out, const GateRequest& request);

/// The value, or nothing when the bytes are not its one encoding.
[[nodiscard]] std::optional<VmDefinition> parse_vm_definition(ByteView bytes);
[[nodiscard]] std::optional<GateRequest> parse_gate_request(ByteView bytes);

/// SHA-256 of an encoded VM definition.
[[nodiscard]] VmId vm_id_of(ByteView definition);

} // namespace casemate::measure
