// SPDX-License-Identifier: Apache-2.0
// See console_history.hpp.
#include "dlaunch/session/console_history.hpp"

#include "policy/model/policy.hpp"

#include <algorithm>

namespace casemate::session {

bool is_vm_name(const std::string& name) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !name.empty() && name.size() <= policy::max_vm_name && std::ranges::all_of(name, allowed);
}

bool ConsoleHistory::add(const std::string& vm, std::string_view line) {
    if (!is_vm_name(vm) || (!consoles_.contains(vm) && consoles_.size() == max_consoles)) return false;
    auto& lines = consoles_[vm];
    lines.emplace_back(line.substr(0, max_line));
    if (lines.size() > max_lines) lines.pop_front();
    return true;
}

const std::deque<std::string>* ConsoleHistory::of(const std::string& vm) const {
    const auto found = consoles_.find(vm);
    return found == consoles_.end() ? nullptr : &found->second;
}

} // namespace casemate::session
