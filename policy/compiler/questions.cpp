// SPDX-License-Identifier: Apache-2.0
// See questions.hpp.
#include "policy/compiler/questions.hpp"

#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/words.hpp"

#include <algorithm>
#include <optional>

namespace casemate::policy {
namespace {

std::optional<std::size_t> find_vm(const Policy& policy, std::string_view name) {
    for (std::size_t i = 0; i < policy.vm_count; ++i)
        if (policy.vms[i].name.view() == name) return i;
    return std::nullopt;
}

std::optional<std::size_t> other_end(const Link& link, std::size_t vm) {
    if (!link.ends_at(vm)) return std::nullopt;
    return link.first == vm ? link.second : link.first;
}

/// The shortest way over links, both ends included; empty when there is none.
std::vector<std::size_t> shortest_way(const Policy& policy, std::size_t from, std::size_t to) {
    std::vector<std::vector<std::size_t>> ways{{from}};
    std::vector<bool> reached(policy.vm_count, false);
    reached[from] = true;
    for (std::size_t next = 0; next < ways.size(); ++next) {
        const std::vector<std::size_t> way = ways[next];
        if (way.back() == to) return way;
        for (std::size_t i = 0; i < policy.link_count; ++i) {
            const auto end = other_end(policy.links[i], way.back());
            if (!end || reached[*end]) continue;
            reached[*end] = true;
            ways.push_back(way);
            ways.back().push_back(*end);
        }
    }
    return {};
}

/// "; and may never be ..." where a conflict set forbids it.
std::string reason_why_never(const Policy& policy, std::size_t one, std::size_t other) {
    for (std::size_t i = 0; i < policy.conflict_count; ++i)
        if (policy.conflicts[i].has(one) && policy.conflicts[i].has(other))
            return "; and there may be none: a conflict of interest is declared between " + listed(member_names(policy, policy.conflicts[i]));
    return "";
}

} // namespace

Answer who_can_hold(const Policy& policy, const DeviceAddress& address) {
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const Device& device = policy.devices[i];
        if (device.address != address) continue;
        Answer answer{device.holder_count != 0};
        for (const std::string& name : holder_names(policy, device))
            answer.sentences.push_back(name + " may hold " + to_text(address) + " (" + id_text(device) + ") with " + listed(right_words(device.rights)) +
                                       ", for " + std::to_string(device.max_lease) + " s a lease at most" +
                                       (device.bootstrap_lease == 0 ? "" : ", and for " + std::to_string(device.bootstrap_lease) + " s before the verifier has looked"));
        return answer;
    }
    return {false, {"nobody: the policy does not name " + to_text(address)}};
}

Answer can_talk(const Policy& policy, std::string_view one, std::string_view other) {
    const auto from = find_vm(policy, one), to = find_vm(policy, other);
    for (const auto& [vm, name] : {std::pair{from, one}, std::pair{to, other}})
        if (!vm) return {false, {"no: the policy has no VM '" + std::string{name} + "'"}};
    if (from == to) return {false, {"no: a VM has no link to itself"}};
    const auto way = shortest_way(policy, *from, *to);
    if (way.size() == 2) return {true, {"yes: " + std::string{one} + " and " + std::string{other} + " have a link"}};
    if (way.empty()) return {false, {"no: there is no link between them, nor a way over others" + reason_why_never(policy, *from, *to)}};
    std::vector<std::string> between;
    for (std::size_t i = 1; i + 1 < way.size(); ++i) between.push_back(vm_name(policy, way[i]));
    return {false, {"no: there is no link between them; what they can tell each other goes by way of " + listed(between)}};
}

} // namespace casemate::policy
