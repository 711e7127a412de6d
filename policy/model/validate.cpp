// SPDX-License-Identifier: Apache-2.0
// The rules of docs/interfaces/policy.md on values. UNTRUSTED: nothing in the policy is believed before this.
#include "policy/model/policy.hpp"

#include <initializer_list>
#include <utility>

namespace casemate::policy {
namespace {

constexpr std::uint8_t sec1_uncompressed = 4; // [SEC1 2.3.3]

bool vm_name_ok(std::string_view name) {
    for (const char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    return !name.empty();
}

bool file_name_ok(std::string_view name) {
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && c != '_' && c != '-') return false;
    }
    return !name.empty() && name[0] != '.';
}

bool command_line_ok(std::string_view line) {
    for (const char c : line)
        if (c < 0x20 || c > 0x7e) return false;
    return true;
}

bool secret_name_ok(std::string_view name) {
    if (name == bootstrap_secret) return false; // it goes to custody, never into a VM
    for (const char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')) return false;
    return !name.empty();
}

bool secrets_ok(const Vm& vm) {
    for (std::size_t i = 0; i < vm.secret_count; ++i) {
        if (!secret_name_ok(vm.secrets[i].view())) return false;
        if (i > 0 && vm.secrets[i - 1].view() >= vm.secrets[i].view()) return false;
    }
    return true;
}

/// Some of most_tpm_commands, in its order.
bool tpm_commands_ok(const Policy& policy) {
    if (policy.tpm_command_count > most_tpm_commands.size()) return false;
    std::size_t next = 0;
    for (const std::uint32_t command : policy.agent_commands()) {
        while (next < most_tpm_commands.size() && most_tpm_commands[next] != command) ++next;
        if (next++ >= most_tpm_commands.size()) return false;
    }
    return true;
}

bool memory_ok(std::uint32_t mib) { return mib >= min_memory_mib && mib <= max_memory_mib && mib % 2 == 0; }

PolicyError check_vm(const Vm& vm) {
    if (!vm_name_ok(vm.name.view())) return PolicyError::vm_name;
    if (vm.role > Role::client) return PolicyError::role;
    if (!file_name_ok(vm.kernel.view()) || !file_name_ok(vm.initrd.view())) return PolicyError::file_name;
    if (!command_line_ok(vm.command_line.view())) return PolicyError::command_line;
    if (!memory_ok(vm.memory_mib)) return PolicyError::memory;
    if (vm.core > max_core) return PolicyError::core;
    if (vm.placement > Placement::dedicated) return PolicyError::placement;
    if (vm.vcpus != 1) return PolicyError::vcpus;
    if (vm.restart > Restart::warm) return PolicyError::restart;
    if (vm.restart == Restart::warm && vm.role != Role::driver) return PolicyError::restart_not_driver;
    if (vm.secret_count > max_secrets || !secrets_ok(vm)) return PolicyError::secret_names;
    if (vm.secret_count != 0 && vm.role != Role::driver) return PolicyError::secrets_not_driver;
    if (vm.restart_limit > max_restart_limit) return PolicyError::restart_limit;
    if (vm.restart_limit != 0 && vm.role == Role::client) return PolicyError::restart_limit_of_client;
    if (vm.quiet_seconds == 0 || vm.quiet_seconds > max_quiet_seconds) return PolicyError::quiet_seconds;
    if (vm.weight == 0 || vm.weight > max_weight) return PolicyError::weight;
    return vm.cap >= 1 && vm.cap <= 100 ? PolicyError::none : PolicyError::cap;
}

/// Rules between two VMs.
PolicyError check_pair(const Vm& first, const Vm& second) {
    if (first.name.view() == second.name.view()) return PolicyError::vm_name_twice;
    if (first.role == Role::agent && second.role == Role::agent) return PolicyError::two_agents;
    const bool dedicated = first.placement == Placement::dedicated || second.placement == Placement::dedicated;
    return dedicated && first.core == second.core ? PolicyError::core_not_shared : PolicyError::none;
}

PolicyError check_holders(const Policy& policy, const Device& device) {
    if (device.holder_count == 0 || device.holder_count > max_holders) return PolicyError::holder_count;
    for (std::size_t i = 0; i < device.holder_count; ++i) {
        if (device.holders[i] >= policy.vm_count) return PolicyError::holder_unknown;
        if (policy.vms[device.holders[i]].role == Role::agent) return PolicyError::holder_is_agent;
        for (std::size_t j = 0; j < i; ++j)
            if (device.holders[j] == device.holders[i]) return PolicyError::holder_twice;
    }
    return PolicyError::none;
}

/// Before anybody has looked, only a driver VM gets a device: what the verifier would be asked through.
PolicyError check_bootstrap(const Policy& policy, const Device& device) {
    if (device.bootstrap_lease == 0) return PolicyError::none;
    if (device.bootstrap_lease > device.max_lease || device.bootstrap_lease > max_bootstrap_seconds) return PolicyError::bootstrap_lease;
    for (std::size_t i = 0; i < device.holder_count; ++i)
        if (policy.vms[device.holders[i]].role != Role::driver) return PolicyError::bootstrap_holder;
    return PolicyError::none;
}

PolicyError check_device(const Policy& policy, const Device& device) {
    if (!device.address.valid()) return PolicyError::device_address;
    if (device.vendor == 0 || device.vendor == 0xffff) return PolicyError::device_id; // "no device" [PCI 6.1]
    const PolicyError holders = check_holders(policy, device);
    if (holders != PolicyError::none) return holders;
    if (device.rights == 0 || (device.rights & ~all_rights) != 0) return PolicyError::rights;
    if (device.max_lease == 0 || device.max_lease > max_lease_seconds) return PolicyError::lease;
    if (device.resets == 0 || device.resets > all_resets) return PolicyError::resets;
    return check_bootstrap(policy, device);
}

PolicyError check_link(const Policy& policy, const Link& link) {
    if (link.first >= policy.vm_count || link.second >= policy.vm_count) return PolicyError::link_end_unknown;
    if (link.first == link.second) return PolicyError::link_to_itself;
    if (link.first > link.second) return PolicyError::link_order;
    // What carries the evidence has no peer that could disturb it, but the one that is its road to the verifier.
    for (const auto& [agent, peer] : {std::pair{link.first, link.second}, std::pair{link.second, link.first}})
        if (policy.vms[agent].role == Role::agent && !policy.may_bootstrap(peer)) return PolicyError::link_to_agent;
    return PolicyError::none;
}

/// Rules between links[index], valid by itself, and those before it.
PolicyError check_earlier_links(const Policy& policy, std::size_t index) {
    const Link& link = policy.links[index];
    std::size_t at_first = 1, at_second = 1;
    for (std::size_t i = 0; i < index; ++i) {
        const Link& earlier = policy.links[i];
        if (earlier.first == link.first && earlier.second == link.second) return PolicyError::link_twice;
        at_first += earlier.ends_at(link.first);
        at_second += earlier.ends_at(link.second);
    }
    return at_first > max_link_ends || at_second > max_link_ends ? PolicyError::link_ends : PolicyError::none;
}

using VmSet = std::uint16_t; // bit i: Policy::vms[i]
static_assert(max_vms <= 16);

bool has_two(VmSet set) { return (set & (set - 1)) != 0; }

/// All that `vm` reaches over links, itself too.
VmSet reached_from(const Policy& policy, std::size_t vm) {
    VmSet reached = static_cast<VmSet>(1 << vm);
    for (std::size_t round = 0; round < policy.link_count; ++round) // each brings the set a link further, or no further at all
        for (std::size_t i = 0; i < policy.link_count; ++i) {
            const VmSet ends = static_cast<VmSet>(1 << policy.links[i].first | 1 << policy.links[i].second);
            if ((reached & ends) != 0) reached |= ends;
        }
    return reached;
}

PolicyError check_conflict(const Policy& policy, const Conflict& conflict) {
    if (!has_two(conflict.members) || conflict.members >> policy.vm_count != 0) return PolicyError::conflict_members;
    for (std::size_t vm = 0; vm < policy.vm_count; ++vm)
        if (has_two(reached_from(policy, vm) & conflict.members)) return PolicyError::conflict_links;
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        VmSet holders = 0;
        for (std::size_t vm = 0; vm < policy.vm_count; ++vm)
            if (policy.devices[i].may_hold(vm)) holders |= static_cast<VmSet>(1 << vm);
        if (has_two(holders & conflict.members)) return PolicyError::conflict_holders;
    }
    return PolicyError::none;
}

Status<PolicyFault> check_vms(const Policy& policy) {
    bool has_agent = false;
    for (std::uint8_t i = 0; i < policy.vm_count; ++i) {
        PolicyError error = check_vm(policy.vms[i]);
        for (std::uint8_t j = 0; j < i && error == PolicyError::none; ++j)
            error = check_pair(policy.vms[j], policy.vms[i]);
        if (error != PolicyError::none) return Failure{PolicyFault{error, i}};
        has_agent = has_agent || policy.vms[i].role == Role::agent;
    }
    if (!has_agent) return Failure{PolicyFault{PolicyError::no_agent, 0}};
    return Done{};
}

Status<PolicyFault> check_devices(const Policy& policy) {
    for (std::uint8_t i = 0; i < policy.device_count; ++i) {
        PolicyError error = check_device(policy, policy.devices[i]);
        for (std::uint8_t j = 0; j < i && error == PolicyError::none; ++j)
            if (policy.devices[j].address == policy.devices[i].address) error = PolicyError::device_twice;
        if (error != PolicyError::none) return Failure{PolicyFault{error, i}};
    }
    return Done{};
}

Status<PolicyFault> check_links(const Policy& policy) {
    for (std::uint8_t i = 0; i < policy.link_count; ++i) {
        PolicyError error = check_link(policy, policy.links[i]);
        if (error == PolicyError::none) error = check_earlier_links(policy, i);
        if (error != PolicyError::none) return Failure{PolicyFault{error, i}};
    }
    return Done{};
}

Status<PolicyFault> check_conflicts(const Policy& policy) {
    for (std::uint8_t i = 0; i < policy.conflict_count; ++i) {
        const PolicyError error = check_conflict(policy, policy.conflicts[i]);
        if (error != PolicyError::none) return Failure{PolicyFault{error, i}};
    }
    return Done{};
}

} // namespace

Status<PolicyFault> validate(const Policy& policy) {
    if (policy.epoch == 0) return Failure{PolicyFault{PolicyError::epoch, 0}};
    if (policy.grant_key[0] != sec1_uncompressed) return Failure{PolicyFault{PolicyError::grant_key, 0}};
    if (policy.has_next_grant_key() && policy.next_grant_key[0] != sec1_uncompressed) return Failure{PolicyFault{PolicyError::grant_key, 0}};
    if (policy.next_grant_key == policy.grant_key) return Failure{PolicyFault{PolicyError::grant_key_twice, 0}};
    if (policy.vm_count == 0 || policy.vm_count > max_vms) return Failure{PolicyFault{PolicyError::vm_count, 0}};
    if (policy.device_count > max_devices) return Failure{PolicyFault{PolicyError::device_count, 0}};
    if (policy.link_count > max_links) return Failure{PolicyFault{PolicyError::link_count, 0}};
    if (policy.conflict_count > max_conflicts) return Failure{PolicyFault{PolicyError::conflict_count, 0}};
    if (policy.attestation_interval > max_lease_seconds) return Failure{PolicyFault{PolicyError::attestation_interval, 0}};
    if (!tpm_commands_ok(policy)) return Failure{PolicyFault{PolicyError::tpm_commands, 0}};
    TRY(check_vms(policy));
    TRY(check_devices(policy));
    TRY(check_links(policy));
    return check_conflicts(policy);
}

} // namespace casemate::policy
