// SPDX-License-Identifier: Apache-2.0
#include "policy/compiler/words.hpp"

#include "dlaunch/measure/tpm_command_name.hpp"

#include <algorithm>
#include <cstdio>

namespace casemate::policy {

namespace {

constexpr std::array<std::string_view, 4> reset_names{"none", "function-level", "secondary-bus", "device-specific"}; // measure::ResetKind

} // namespace

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

std::vector<std::string> reset_words(std::uint8_t resets) {
    std::vector<std::string> words;
    for (std::size_t kind = 0; kind < reset_names.size(); ++kind)
        if ((resets >> kind & 1) != 0) words.emplace_back(reset_names[kind]);
    return words;
}

std::vector<std::string> tpm_command_words(std::span<const std::uint32_t> commands) {
    std::vector<std::string> words;
    for (const std::uint32_t command : commands) words.emplace_back(measure::tpm_command_name(command));
    return words;
}

std::optional<std::uint8_t> reset_bit(std::string_view word) {
    const auto kind = static_cast<std::size_t>(std::ranges::find(reset_names, word) - reset_names.begin());
    if (kind == reset_names.size()) return std::nullopt;
    return static_cast<std::uint8_t>(1 << kind);
}

std::optional<std::uint32_t> tpm_command(std::string_view word) {
    const auto code = measure::tpm_command_code(word);
    return code && std::ranges::count(most_tpm_commands, *code) != 0 ? code : std::nullopt;
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

std::string interval_words(const Policy& policy) {
    return policy.attestation_interval == 0 ? "as the leases want it" : std::to_string(policy.attestation_interval) + " s";
}

std::string listed(const std::vector<std::string>& words) {
    std::string text = words.empty() ? "nobody" : words.front();
    for (std::size_t i = 1; i < words.size(); ++i) text += (i + 1 == words.size() ? " and " : ", ") + words[i];
    return text;
}

} // namespace casemate::policy
