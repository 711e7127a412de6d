// SPDX-License-Identifier: Apache-2.0
// A small valid policy for tests: an agent, a driver with a dedicated core, two devices.
#pragma once

#include "policy/model/payload.hpp"

#include <cstdlib>
#include <string_view>
#include <vector>

namespace casemate::test {

template <typename Text>
void set(Text& text, std::string_view value) {
    if (!text.assign(value)) std::abort();
}

inline policy::Vm sample_vm(std::string_view name, policy::Role role) {
    policy::Vm vm;
    set(vm.name, name);
    vm.role = role;
    set(vm.kernel, "vmlinuz");
    set(vm.initrd, "agent.img");
    set(vm.command_line, "console=ttyS0 quiet");
    vm.memory_mib = 128;
    if (role == policy::Role::client) vm.restart_limit = 0;
    return vm;
}

inline policy::Policy sample_policy() {
    policy::Policy policy;
    policy.epoch = 7;
    policy.grant_key[0] = 4;
    policy.vm_count = 2;
    policy.vms[0] = sample_vm("agent", policy::Role::agent);
    policy.vms[1] = sample_vm("net0", policy::Role::driver);
    policy.vms[1].core = 1;
    policy.vms[1].placement = policy::Placement::dedicated;
    policy.device_count = 2;
    for (std::uint8_t i = 0; i < 2; ++i) {
        policy::Device& device = policy.devices[i];
        device.address = {0, 0, static_cast<std::uint8_t>(3 + i), 0};
        device.vendor = 0x8086;
        device.device_id = 0x10d3;
        device.holder_count = 1;
        device.holders[0] = 1;
        device.rights = policy::all_rights;
        device.max_lease = 60;
    }
    return policy;
}

inline std::vector<std::uint8_t> encoded(const policy::Policy& policy) {
    std::vector<std::uint8_t> buffer(65536);
    const ByteView bytes = policy::encode_policy(policy, buffer);
    return {bytes.begin(), bytes.end()};
}

} // namespace casemate::test
