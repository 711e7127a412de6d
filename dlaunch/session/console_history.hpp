// SPDX-License-Identifier: Apache-2.0
// The last lines of each VM's console, for an operator who comes later.
// UNTRUSTED: a guest may print without end, and firmware may print what looks like a VM's line: lines, their number and the number
// of consoles are bounded.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace casemate::session {

/// 1 to 15 of a-z, 0-9 and -, as a policy names VMs.
[[nodiscard]] bool is_vm_name(const std::string& name);

class ConsoleHistory {
public:
    static constexpr std::size_t max_lines = 200;
    static constexpr std::size_t max_line = 1024; // bytes; a longer one is cut
    static constexpr std::size_t max_consoles = 32;

    /// False when it is not kept: not a VM's name, or too many of them.
    bool add(const std::string& vm, std::string_view line);
    /// nullptr: this VM has printed nothing.
    [[nodiscard]] const std::deque<std::string>* of(const std::string& vm) const;

private:
    std::map<std::string, std::deque<std::string>> consoles_;
};

} // namespace casemate::session
