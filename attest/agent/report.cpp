// SPDX-License-Identifier: Apache-2.0
// Implements report.hpp.
#include "attest/agent/report.hpp"

#include "attest/relay/encoding.hpp"

namespace casemate::agent {
namespace {

using relay::to_hex;

Json to_json(const VmStatus& vm) {
    Json exits = Json::object();
    for (const auto& [name, count] : vm.exits) exits[name] = count;
    return {{"name", vm.name},
            {"vm_id", to_hex(vm.vm_id)},
            {"state", vm.state},
            {"memory_mib", vm.memory_mib},
            {"stop_cause", vm.stop_cause},
            {"stop_reason", vm.stop_reason},
            {"exits", exits},
            {"starts", vm.starts},
            {"cpu_us", vm.cpu_us}};
}

Json to_json(const DeviceStatus& status) {
    return {{"device", agent::to_json(status.device)},
            {"vendor", status.vendor},
            {"device_id", status.device_id},
            {"subsystem_vendor", status.subsystem_vendor},
            {"subsystem_id", status.subsystem_id},
            {"class", status.device_class},
            {"state", status.state},
            {"holder", to_hex(status.holder)},
            {"grant_id", to_hex(status.grant_id)},
            {"lease_ms_left", status.lease_ms_left},
            {"reset_kind", status.reset_kind},
            {"tainted_by", to_hex(status.tainted_by)}};
}

Json to_json(const LinkEnd& end, const LinkEnd& peer) {
    return {{"vm", end.vm},
            {"peer", peer.vm},
            {"running", end.running},
            {"error", end.error},
            {"counts",
             {{"packets", end.packets},
              {"bytes", end.bytes},
              {"notifications", end.notifications},
              {"interrupts", end.interrupts}}},
            {"drops", end.drops}};
}

/// Both ends of each link, one after the other.
Json to_json(const std::vector<LinkStatus>& links) {
    Json ends = Json::array();
    for (const auto& [first, second] : links) {
        ends.push_back(to_json(first, second));
        ends.push_back(to_json(second, first));
    }
    return ends;
}

} // namespace

Json to_json(const DeviceAddress& device) {
    return Json::array({device.segment, device.bus, device.device, device.function});
}

Json report_of(const Info& info, const MachineStatus& status) {
    Json vms = Json::array();
    for (const VmStatus& vm : status.vms) vms.push_back(to_json(vm));
    Json devices = Json::array();
    for (const DeviceStatus& device : status.devices) devices.push_back(to_json(device));
    return {{"launch",
             {{"launch_id", to_hex(info.launch_id)},
              {"kind", info.launch_kind},
              {"policy_epoch", info.policy_epoch},
              {"log_bytes", info.log_bytes},
              {"banks", info.banks}}},
            {"uptime_ms", status.uptime_ms},
            {"vms", vms},
            {"devices", devices},
            {"link_ends", to_json(status.links)}};
}

} // namespace casemate::agent
