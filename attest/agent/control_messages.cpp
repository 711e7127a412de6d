// SPDX-License-Identifier: Apache-2.0
// Implements control_messages.hpp. Keys and shapes are those of docs/interfaces/control.md.
#include "attest/agent/control_messages.hpp"

#include "hypervisor/base/cbor_reader.hpp"

namespace casemate::agent {
namespace {

constexpr std::size_t id_size = 32;
constexpr std::size_t grant_id_size = 16;
constexpr std::size_t max_items = 64; // more than the policy's limits on VMs and devices
constexpr std::size_t max_gate = 4096;
constexpr std::size_t max_text = 64;

Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }

std::uint64_t field(CborReader& in, std::int64_t key) {
    in.expect_key(key);
    return in.u64();
}
Bytes field_bytes(CborReader& in, std::int64_t key, std::size_t limit) {
    in.expect_key(key);
    return bytes_of(in.bytes(limit));
}

DeviceAddress device_address(CborReader& in) {
    in.expect_array(4);
    DeviceAddress address;
    address.segment = static_cast<std::uint16_t>(in.u64_at_most(0xFFFF));
    address.bus = static_cast<std::uint8_t>(in.u64_at_most(0xFF));
    address.device = static_cast<std::uint8_t>(in.u64_at_most(31));
    address.function = static_cast<std::uint8_t>(in.u64_at_most(7));
    return address;
}

template <typename T>
std::vector<T> list(CborReader& in, T (*element)(CborReader&)) {
    std::vector<T> values;
    const std::size_t count = in.array_size(max_items);
    for (std::size_t i = 0; i < count && in.ok(); ++i) values.push_back(element(in));
    return values;
}

std::uint16_t bank(CborReader& in) { return static_cast<std::uint16_t>(in.u64_at_most(0xFFFF)); }
Bytes gate(CborReader& in) { return bytes_of(in.bytes(max_gate)); }

Lease lease(CborReader& in) {
    Lease value;
    in.expect_map(5);
    value.grant_id = field_bytes(in, 0, grant_id_size);
    in.expect_key(1);
    value.device = device_address(in);
    value.vm_id = field_bytes(in, 2, id_size);
    value.gate_nonce = field_bytes(in, 3, id_size);
    value.ms_left = field(in, 4);
    return value;
}

std::pair<std::string, std::uint64_t> exit_count(CborReader& in) {
    in.expect_array(2);
    const std::string name{in.text(max_text)};
    return {name, in.u64()};
}

VmStatus vm_status(CborReader& in) {
    VmStatus vm;
    in.expect_map(9);
    in.expect_key(0);
    vm.name = in.text(max_text);
    vm.vm_id = field_bytes(in, 1, id_size);
    vm.state = field(in, 2);
    vm.memory_mib = field(in, 3);
    vm.stop_cause = field(in, 4);
    vm.stop_reason = field(in, 5);
    in.expect_key(6);
    vm.exits = list(in, exit_count);
    vm.starts = field(in, 7);
    vm.cpu_us = field(in, 8);
    return vm;
}

void device_identity(CborReader& in, DeviceStatus& status) {
    in.expect_map(6);
    in.expect_key(0);
    status.device = device_address(in);
    status.vendor = field(in, 1);
    status.device_id = field(in, 2);
    status.subsystem_vendor = field(in, 3);
    status.subsystem_id = field(in, 4);
    status.device_class = field(in, 5);
}

DeviceStatus device_status(CborReader& in) {
    DeviceStatus status;
    in.expect_map(7);
    in.expect_key(0);
    device_identity(in, status);
    status.state = field(in, 1);
    status.holder = field_bytes(in, 2, id_size);
    status.grant_id = field_bytes(in, 3, grant_id_size);
    status.lease_ms_left = field(in, 4);
    status.reset_kind = field(in, 5);
    status.tainted_by = field_bytes(in, 6, id_size);
    return status;
}

std::uint64_t number(CborReader& in) { return in.u64(); }

LinkEnd link_end(CborReader& in) {
    LinkEnd end;
    in.expect_map(8);
    in.expect_key(0);
    end.vm = in.text(max_text);
    in.expect_key(1);
    end.running = in.u64_at_most(1) == 1;
    end.error = field(in, 2);
    end.packets = field(in, 3);
    end.bytes = field(in, 4);
    end.notifications = field(in, 5);
    end.interrupts = field(in, 6);
    in.expect_key(7);
    end.drops = list(in, number);
    return end;
}

LinkStatus link_status(CborReader& in) {
    LinkStatus ends;
    in.expect_array(ends.size());
    for (LinkEnd& end : ends) end = link_end(in);
    return ends;
}

template <typename T>
Outcome<T> finished(const CborReader& in, T value, const char* what) {
    if (!in.finished()) return fail(std::string{"the hypervisor's "} + what + " is malformed");
    return value;
}

} // namespace

Outcome<Info> parse_info(ByteView bytes) {
    CborReader in{bytes};
    Info info;
    in.expect_map(6);
    in.expect_key(0);
    info.launch_id = bytes_of(in.bytes_exactly(id_size));
    info.policy_epoch = field(in, 1);
    info.log_bytes = field(in, 2);
    info.launch_kind = field(in, 3);
    info.event_counter = field(in, 4);
    in.expect_key(5);
    info.banks = list(in, bank);
    return finished(in, std::move(info), "info");
}

Outcome<std::vector<Bytes>> parse_gates(ByteView bytes) {
    CborReader in{bytes};
    auto gates = list(in, gate);
    return finished(in, std::move(gates), "list of gates");
}

Outcome<std::vector<Lease>> parse_leases(ByteView bytes) {
    CborReader in{bytes};
    auto leases = list(in, lease);
    return finished(in, std::move(leases), "list of leases");
}

Outcome<MachineStatus> parse_status(ByteView bytes) {
    CborReader in{bytes};
    MachineStatus status;
    const bool with_links = in.map_size(4) == 4;
    status.uptime_ms = field(in, 0);
    in.expect_key(1);
    status.vms = list(in, vm_status);
    in.expect_key(2);
    status.devices = list(in, device_status);
    if (with_links) {
        in.expect_key(3);
        status.links = list(in, link_status);
    }
    return finished(in, std::move(status), "status");
}

Outcome<std::uint64_t> parse_submission(ByteView bytes) {
    CborReader in{bytes};
    in.expect_map(1);
    const std::uint64_t error = field(in, 0);
    return finished(in, error, "answer to a submission");
}

} // namespace casemate::agent
