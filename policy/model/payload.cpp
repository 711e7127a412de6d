// SPDX-License-Identifier: Apache-2.0
// See payload.hpp. The numbered keys are those of docs/interfaces/policy.md.
#include "policy/model/payload.hpp"

#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/cbor_writer.hpp"

namespace casemate::policy {
namespace {

constexpr std::size_t policy_fields = 9;
constexpr std::size_t vm_fields = 15;
constexpr std::size_t device_fields = 7;
constexpr std::size_t link_fields = 2;

template <typename T>
T number(CborReader& in) {
    return static_cast<T>(in.u64_at_most(static_cast<T>(~T{0})));
}

template <std::size_t capacity>
void read_text(CborReader& in, Text<capacity>& text) {
    if (!text.assign(in.text(capacity))) in.fail();
}

void read_vm(CborReader& in, Vm& vm) {
    in.expect_map(vm_fields);
    in.expect_key(0), read_text(in, vm.name);
    in.expect_key(1), vm.role = static_cast<Role>(number<std::uint8_t>(in));
    in.expect_key(2), read_text(in, vm.kernel);
    in.expect_key(3), read_text(in, vm.initrd);
    in.expect_key(4), read_text(in, vm.command_line);
    in.expect_key(5), vm.memory_mib = number<std::uint32_t>(in);
    in.expect_key(6), vm.core = number<std::uint8_t>(in);
    in.expect_key(7), vm.placement = static_cast<Placement>(number<std::uint8_t>(in));
    in.expect_key(8), vm.vcpus = number<std::uint8_t>(in);
    in.expect_key(9), vm.restart = static_cast<Restart>(number<std::uint8_t>(in));
    in.expect_key(10), vm.weight = number<std::uint16_t>(in);
    in.expect_key(11), vm.cap = number<std::uint8_t>(in);
    in.expect_key(12), vm.secret_count = static_cast<std::uint8_t>(in.array_size(max_secrets));
    for (std::size_t i = 0; i < vm.secret_count; ++i) read_text(in, vm.secrets[i]);
    in.expect_key(13), vm.restart_limit = number<std::uint8_t>(in);
    in.expect_key(14), vm.quiet_seconds = number<std::uint16_t>(in);
}

/// The index of the VM with this name; vm_count when there is none (validate() reports it).
std::uint8_t find_vm(const Policy& policy, std::string_view name) {
    std::uint8_t index = 0;
    while (index < policy.vm_count && policy.vms[index].name.view() != name) ++index;
    return index;
}

void read_device(CborReader& in, const Policy& policy, Device& device) {
    in.expect_map(device_fields);
    in.expect_key(0), in.expect_array(4);
    device.address.segment = number<std::uint16_t>(in);
    device.address.bus = number<std::uint8_t>(in);
    device.address.device = number<std::uint8_t>(in);
    device.address.function = number<std::uint8_t>(in);
    in.expect_key(1);
    const std::uint32_t id = number<std::uint32_t>(in);
    device.vendor = static_cast<std::uint16_t>(id >> 16);
    device.device_id = static_cast<std::uint16_t>(id);
    in.expect_key(2), device.holder_count = static_cast<std::uint8_t>(in.array_size(max_holders));
    for (std::size_t i = 0; i < device.holder_count; ++i)
        device.holders[i] = find_vm(policy, in.text(max_vm_name));
    in.expect_key(3), device.rights = number<std::uint8_t>(in);
    in.expect_key(4), device.max_lease = number<std::uint32_t>(in);
    in.expect_key(5), device.resets = number<std::uint8_t>(in);
    in.expect_key(6), device.bootstrap_lease = number<std::uint32_t>(in);
}

void read_link(CborReader& in, const Policy& policy, Link& link) {
    in.expect_array(link_fields);
    link.first = find_vm(policy, in.text(max_vm_name));
    link.second = find_vm(policy, in.text(max_vm_name));
}

/// The names in the order of the VMs: a set has one spelling. One that is unknown, or out of order, leaves no member (validate() reports it).
void read_conflict(CborReader& in, const Policy& policy, Conflict& conflict) {
    const std::size_t count = in.array_size(max_vms);
    conflict.members = 0;
    std::size_t next = 0; // the first VM that may follow
    bool good = true;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t vm = find_vm(policy, in.text(max_vm_name));
        good = good && vm >= next && vm < policy.vm_count;
        if (!good) continue;
        conflict.members |= static_cast<std::uint16_t>(1 << vm);
        next = vm + 1;
    }
    if (!good) conflict.members = 0;
}

void read_key(CborReader& in, std::array<std::uint8_t, public_key_size>& key) {
    const ByteView bytes = in.bytes_exactly(public_key_size);
    for (std::size_t i = 0; i < bytes.size(); ++i) key[i] = bytes[i];
}

/// One key by itself, or an array of two.
void read_grant_keys(CborReader& in, Policy& policy) {
    const bool two = in.peek() == CborType::array;
    if (two) in.expect_array(2);
    read_key(in, policy.grant_key);
    policy.next_grant_key = {};
    if (two) read_key(in, policy.next_grant_key);
    if (two != policy.has_next_grant_key()) in.fail();
}

/// The fields before the lists.
Status<PolicyFault> read_front(CborReader& in, Policy& policy) {
    in.expect_map(policy_fields);
    in.expect_key(0);
    const std::uint64_t version = in.u64();
    in.expect_key(1), policy.epoch = in.u64();
    if (!in.ok()) return Failure{PolicyFault{PolicyError::shape, 0}};
    if (version != format_version) return Failure{PolicyFault{PolicyError::version, 0}};
    return Done{};
}

void write_vm(CborWriter& out, const Vm& vm) {
    out.map(vm_fields);
    out.key(0), out.text(vm.name.view());
    out.key(1), out.u64(static_cast<std::uint64_t>(vm.role));
    out.key(2), out.text(vm.kernel.view());
    out.key(3), out.text(vm.initrd.view());
    out.key(4), out.text(vm.command_line.view());
    out.key(5), out.u64(vm.memory_mib);
    out.key(6), out.u64(vm.core);
    out.key(7), out.u64(static_cast<std::uint64_t>(vm.placement));
    out.key(8), out.u64(vm.vcpus);
    out.key(9), out.u64(static_cast<std::uint64_t>(vm.restart));
    out.key(10), out.u64(vm.weight);
    out.key(11), out.u64(vm.cap);
    out.key(12), out.array(vm.secret_count);
    for (std::size_t i = 0; i < vm.secret_count; ++i) out.text(vm.secrets[i].view());
    out.key(13), out.u64(vm.restart_limit);
    out.key(14), out.u64(vm.quiet_seconds);
}

void write_device(CborWriter& out, const Policy& policy, const Device& device) {
    out.map(device_fields);
    out.key(0), out.array(4);
    out.u64(device.address.segment), out.u64(device.address.bus);
    out.u64(device.address.device), out.u64(device.address.function);
    out.key(1), out.u64(std::uint32_t{device.vendor} << 16 | device.device_id);
    out.key(2), out.array(device.holder_count);
    for (std::size_t i = 0; i < device.holder_count; ++i) out.text(policy.vms[device.holders[i]].name.view());
    out.key(3), out.u64(device.rights);
    out.key(4), out.u64(device.max_lease);
    out.key(5), out.u64(device.resets);
    out.key(6), out.u64(device.bootstrap_lease);
}

void write_link(CborWriter& out, const Policy& policy, const Link& link) {
    out.array(link_fields);
    out.text(policy.vms[link.first].name.view()), out.text(policy.vms[link.second].name.view());
}

void write_conflict(CborWriter& out, const Policy& policy, const Conflict& conflict) {
    std::size_t count = 0;
    for (std::size_t vm = 0; vm < policy.vm_count; ++vm) count += conflict.has(vm);
    out.array(count);
    for (std::size_t vm = 0; vm < policy.vm_count; ++vm)
        if (conflict.has(vm)) out.text(policy.vms[vm].name.view());
}

} // namespace

Status<PolicyFault> parse_policy(ByteView payload, Policy& policy) {
    CborReader in{payload};
    TRY(read_front(in, policy));
    in.expect_key(2), read_grant_keys(in, policy);
    in.expect_key(3), policy.vm_count = static_cast<std::uint8_t>(in.array_size(max_vms));
    for (std::size_t i = 0; i < policy.vm_count; ++i) read_vm(in, policy.vms[i]);
    in.expect_key(4), policy.device_count = static_cast<std::uint8_t>(in.array_size(max_devices));
    for (std::size_t i = 0; i < policy.device_count; ++i) read_device(in, policy, policy.devices[i]);
    in.expect_key(5), policy.link_count = static_cast<std::uint8_t>(in.array_size(max_links));
    for (std::size_t i = 0; i < policy.link_count; ++i) read_link(in, policy, policy.links[i]);
    in.expect_key(6), policy.conflict_count = static_cast<std::uint8_t>(in.array_size(max_conflicts));
    for (std::size_t i = 0; i < policy.conflict_count; ++i) read_conflict(in, policy, policy.conflicts[i]);
    in.expect_key(7), policy.attestation_interval = number<std::uint32_t>(in);
    in.expect_key(8), policy.tpm_command_count = static_cast<std::uint8_t>(in.array_size(most_tpm_commands.size()));
    for (std::size_t i = 0; i < policy.tpm_command_count; ++i) policy.tpm_commands[i] = number<std::uint32_t>(in);
    if (!in.finished()) return Failure{PolicyFault{PolicyError::shape, 0}};
    return validate(policy);
}

Result<std::uint64_t, PolicyError> read_epoch(ByteView payload) {
    CborReader in{payload};
    in.expect_map(policy_fields);
    in.expect_key(0);
    const std::uint64_t version = in.u64();
    in.expect_key(1);
    const std::uint64_t epoch = in.u64();
    if (!in.ok()) return Failure{PolicyError::shape};
    if (version != format_version) return Failure{PolicyError::version};
    if (epoch == 0) return Failure{PolicyError::epoch};
    return epoch;
}

ByteView encode_policy(const Policy& policy, ByteSpan buffer) {
    if (!validate(policy).ok()) return {};
    CborWriter out{buffer};
    out.map(policy_fields);
    out.key(0), out.u64(format_version);
    out.key(1), out.u64(policy.epoch);
    out.key(2);
    if (policy.has_next_grant_key()) out.array(2);
    out.bytes(policy.grant_key);
    if (policy.has_next_grant_key()) out.bytes(policy.next_grant_key);
    out.key(3), out.array(policy.vm_count);
    for (std::size_t i = 0; i < policy.vm_count; ++i) write_vm(out, policy.vms[i]);
    out.key(4), out.array(policy.device_count);
    for (std::size_t i = 0; i < policy.device_count; ++i) write_device(out, policy, policy.devices[i]);
    out.key(5), out.array(policy.link_count);
    for (std::size_t i = 0; i < policy.link_count; ++i) write_link(out, policy, policy.links[i]);
    out.key(6), out.array(policy.conflict_count);
    for (std::size_t i = 0; i < policy.conflict_count; ++i) write_conflict(out, policy, policy.conflicts[i]);
    out.key(7), out.u64(policy.attestation_interval);
    out.key(8), out.array(policy.tpm_command_count);
    for (const std::uint32_t command : policy.agent_commands()) out.u64(command);
    return out.ok() ? out.written() : ByteView{};
}

} // namespace casemate::policy
