// SPDX-License-Identifier: Apache-2.0
// Two policies compared, in words. See questions.hpp.
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/questions.hpp"
#include "policy/compiler/words.hpp"

#include <algorithm>
#include <map>

namespace casemate::policy {
namespace {

/// What a thing of a policy is called, and each of its values in words.
using Values = std::vector<std::pair<std::string, std::string>>;
using Things = std::map<std::string, Values>;

std::string text(std::string_view view) { return std::string{view}; }

Things things_of(const Policy& policy) {
    Things things;
    things["the policy"] = {{"epoch", std::to_string(policy.epoch)},
                            {"attestation interval", interval_words(policy)},
                            {"agent's TPM commands", listed(tpm_command_words(policy.agent_commands()))}};
    for (std::size_t i = 0; i < policy.vm_count; ++i) {
        const Vm& vm = policy.vms[i];
        things["VM " + text(vm.name.view())] = {{"role", word(vm.role)},
                                                {"kernel", text(vm.kernel.view())},
                                                {"initrd", text(vm.initrd.view())},
                                                {"command line", text(vm.command_line.view())},
                                                {"memory", std::to_string(vm.memory_mib) + " MiB"},
                                                {"core", std::to_string(vm.core)},
                                                {"placement", word(vm.placement)},
                                                {"weight", std::to_string(vm.weight)},
                                                {"cap", std::to_string(vm.cap) + " %"},
                                                {"restart", word(vm.restart)},
                                                {"restart limit", std::to_string(vm.restart_limit)},
                                                {"quiet seconds", std::to_string(vm.quiet_seconds)},
                                                {"secrets", vm.secret_count == 0 ? "none" : listed(secret_names(vm))}};
    }
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const Device& device = policy.devices[i];
        things["device " + to_text(device.address)] = {{"id", id_text(device)},
                                                       {"holders", listed(holder_names(policy, device))},
                                                       {"rights", listed(right_words(device.rights))},
                                                       {"longest lease", std::to_string(device.max_lease) + " s"},
                                                       {"accepted resets", listed(reset_words(device.resets))},
                                                       {"bootstrap lease", std::to_string(device.bootstrap_lease) + " s"}};
    }
    for (std::size_t i = 0; i < policy.link_count; ++i) {
        std::vector<std::string> ends{vm_name(policy, policy.links[i].first), vm_name(policy, policy.links[i].second)};
        std::sort(ends.begin(), ends.end());
        things["link between " + listed(ends)] = {};
    }
    for (std::size_t i = 0; i < policy.conflict_count; ++i) {
        std::vector<std::string> members = member_names(policy, policy.conflicts[i]);
        std::sort(members.begin(), members.end());
        things["conflict of interest between " + listed(members)] = {};
    }
    return things;
}

void compare(const std::string& name, const Values& before, const Values& after, std::vector<std::string>& sentences) {
    for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i].second != after[i].second)
            sentences.push_back(name + ": " + before[i].first + " was " + before[i].second + ", is " + after[i].second);
}

} // namespace

Answer difference(const Policy& before, const Policy& after) {
    const Things old_things = things_of(before), new_things = things_of(after);
    Answer answer;
    for (const auto& [name, values] : old_things) {
        const auto same = new_things.find(name);
        if (same == new_things.end()) answer.sentences.push_back(name + " is gone");
        else compare(name, values, same->second, answer.sentences);
    }
    for (const auto& [name, values] : new_things)
        if (!old_things.contains(name)) answer.sentences.push_back(name + " is new");
    if (before.grant_key != after.grant_key || before.next_grant_key != after.next_grant_key) answer.sentences.emplace_back("the policy: another verifier signs the grants");
    answer.yes = answer.sentences.empty();
    return answer;
}

} // namespace casemate::policy
