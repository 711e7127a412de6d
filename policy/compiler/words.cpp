// SPDX-License-Identifier: Apache-2.0
#include "policy/compiler/words.hpp"

#include <cstdio>

namespace casemate::policy {

const char* word(Role role) {
    switch (role) {
    case Role::agent: return "agent";
    case Role::driver: return "driver";
    case Role::client: return "client";
    }
    return "unknown";
}

const char* word(Placement placement) { return placement == Placement::dedicated ? "dedicated" : "shared"; }
const char* word(Restart restart) { return restart == Restart::warm ? "warm" : "cold"; }

std::vector<std::string> right_words(std::uint8_t rights) {
    std::vector<std::string> words;
    if ((rights & right_dma) != 0) words.emplace_back("dma");
    if ((rights & right_interrupts) != 0) words.emplace_back("interrupts");
    if ((rights & right_mmio) != 0) words.emplace_back("mmio");
    return words;
}

std::string id_text(const Device& device) {
    char text[10];
    std::snprintf(text, sizeof text, "%04x:%04x", device.vendor, device.device_id);
    return text;
}

std::string vm_name(const Policy& policy, std::size_t vm) { return std::string{policy.vms[vm].name.view()}; }

std::vector<std::string> secret_names(const Vm& vm) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < vm.secret_count; ++i) names.emplace_back(vm.secrets[i].view());
    return names;
}

std::vector<std::string> holder_names(const Policy& policy, const Device& device) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < device.holder_count; ++i) names.push_back(vm_name(policy, device.holders[i]));
    return names;
}

std::vector<std::string> member_names(const Policy& policy, const Conflict& conflict) {
    std::vector<std::string> names;
    for (std::size_t vm = 0; vm < policy.vm_count; ++vm)
        if (conflict.has(vm)) names.push_back(vm_name(policy, vm));
    return names;
}

std::string listed(const std::vector<std::string>& words) {
    std::string text = words.empty() ? "nobody" : words.front();
    for (std::size_t i = 1; i < words.size(); ++i) text += (i + 1 == words.size() ? " and " : ", ") + words[i];
    return text;
}

} // namespace casemate::policy
