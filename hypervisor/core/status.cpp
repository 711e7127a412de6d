// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/status.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/vlink/status.hpp"

namespace casemate::core {

namespace {

using custody::DeviceRecord;

std::size_t size_of(const CborWriter& out) { return out.ok() ? out.size() : 0; }

void write_address(CborWriter& out, const DeviceAddress& address) {
    out.array(4);
    for (const std::uint64_t part : {std::uint64_t{address.segment}, std::uint64_t{address.bus},
                                     std::uint64_t{address.device}, std::uint64_t{address.function}})
        out.u64(part);
}

void write_identity(CborWriter& out, const measure::DeviceIdentity& identity) {
    out.map(6);
    out.key(0);
    write_address(out, identity.address);
    const std::uint32_t values[] = {identity.vendor, identity.device_id, identity.subsystem_vendor,
                                    identity.subsystem_id, identity.device_class};
    std::int64_t key = 1;
    for (const std::uint32_t value : values) out.key(key++).u64(value);
}

std::uint64_t ms_left(const DeviceRecord& device, std::uint64_t now_ms) {
    return device.granted() && device.deadline > now_ms ? device.deadline - now_ms : 0;
}

/// 0 defined, 1 running, 2 stopped; in the order of custody::VmState.
constexpr std::uint64_t state_numbers[] = {0, 1, 1, 2};
static_assert(std::size(state_numbers) == static_cast<std::size_t>(custody::VmState::stopped) + 1);

void write_exits(CborWriter& out, const ExitCounters& exits) {
    out.array(exit_kind_names.size());
    for (std::size_t kind = 0; kind < exit_kind_names.size(); ++kind) {
        out.array(2);
        out.text(exit_kind_names[kind]);
        out.u64(exits.of(static_cast<ExitKind>(kind)));
    }
}

void write_vm(CborWriter& out, Vm& vm, const custody::VmRecord& record) {
    out.map(9);
    out.key(0).text(vm.name());
    out.key(1).bytes(record.id);
    out.key(2).u64(state_numbers[static_cast<std::size_t>(record.state)]);
    out.key(3).u64(vm.definition().memory_bytes >> 20);
    out.key(4).u64(static_cast<std::uint64_t>(vm.stop_cause()));
    out.key(5).u64(static_cast<std::uint64_t>(vm.stop_reason()));
    out.key(6);
    write_exits(out, vm.exits());
    out.key(7).u64(record.starts);
    out.key(8).u64(arch::micros_from_tsc(vm.time_used()));
}

void write_device(CborWriter& out, const DeviceRecord& device, const custody::Custody& custody, std::uint64_t now_ms) {
    const bool held = device.state != custody::DeviceState::quarantined;
    out.map(7);
    out.key(0);
    write_identity(out, device.facts.identity);
    out.key(1).u64(static_cast<std::uint64_t>(device.state));
    out.key(2).bytes(held ? ByteView{custody.vm(device.holder).id} : ByteView{});
    out.key(3).bytes(held ? ByteView{device.grant_id} : ByteView{});
    out.key(4).u64(ms_left(device, now_ms));
    out.key(5).u64(static_cast<std::uint64_t>(device.last_reset));
    out.key(6).bytes(device.tainted_by ? ByteView{*device.tainted_by} : ByteView{});
}

void write_links(CborWriter& out, const Machine& machine, const policy::Policy& policy) {
    out.array(policy.link_count);
    for (std::size_t i = 0; i < policy.link_count; ++i) {
        const auto [first, second] = policy.links[i];
        vlink::write_link(out, *machine.links()[i],
                          {machine.vms()[first]->name(), machine.vms()[second]->name()});
    }
}

} // namespace

std::size_t write_info(ByteSpan out, const StatusSources& sources, std::size_t log_bytes,
                       std::uint32_t events, const measure::Banks& banks) {
    CborWriter cbor{out};
    cbor.map(6);
    cbor.key(0).bytes(sources.custody.launch().id);
    cbor.key(1).u64(sources.custody.policy().epoch);
    cbor.key(2).u64(log_bytes);
    cbor.key(3).u64(static_cast<std::uint64_t>(sources.custody.launch().kind));
    cbor.key(4).u64(events);
    cbor.key(5).array(banks.size());
    for (const measure::TPM_ALG_ID bank : banks) cbor.u64(static_cast<std::uint64_t>(bank));
    return size_of(cbor);
}

std::size_t write_gates(ByteSpan out, const StatusSources& sources) {
    std::size_t open = 0;
    sources.custody.for_each_open_gate([&](const measure::GateRequest&) { ++open; });
    CborWriter cbor{out};
    cbor.array(open);
    sources.custody.for_each_open_gate([&](const measure::GateRequest& request) {
        std::array<std::uint8_t, measure::max_gate_request> buffer;
        cbor.bytes(measure::encode(buffer, request));
    });
    return size_of(cbor);
}

std::size_t write_status(ByteSpan out, const StatusSources& sources) {
    const policy::Policy& policy = sources.custody.policy();
    CborWriter cbor{out};
    cbor.map(policy.link_count == 0 ? 3 : 4);
    cbor.key(0).u64(sources.now_ms);
    cbor.key(1).array(policy.vm_count);
    for (std::size_t i = 0; i < policy.vm_count; ++i)
        write_vm(cbor, *sources.machine.vms()[i], sources.custody.vm(i));
    cbor.key(2).array(policy.device_count);
    for (std::size_t i = 0; i < policy.device_count; ++i)
        write_device(cbor, sources.custody.device(i), sources.custody, sources.now_ms);
    if (policy.link_count != 0) write_links(cbor.key(3), sources.machine, policy);
    return size_of(cbor);
}

std::size_t write_leases(ByteSpan out, const StatusSources& sources) {
    const policy::Policy& policy = sources.custody.policy();
    std::size_t granted = 0;
    for (std::size_t i = 0; i < policy.device_count; ++i) granted += sources.custody.device(i).granted();
    CborWriter cbor{out};
    cbor.array(granted);
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const DeviceRecord& device = sources.custody.device(i);
        if (!device.granted()) continue;
        cbor.map(5);
        cbor.key(0).bytes(device.grant_id);
        cbor.key(1);
        write_address(cbor, device.facts.identity.address);
        cbor.key(2).bytes(sources.custody.vm(device.holder).id);
        cbor.key(3).bytes(device.gate_nonce);
        cbor.key(4).u64(ms_left(device, sources.now_ms));
    }
    return size_of(cbor);
}

} // namespace casemate::core
