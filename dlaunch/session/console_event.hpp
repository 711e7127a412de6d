// SPDX-License-Identifier: Apache-2.0
// Reads the machine-readable lines of the platform's console (COM1): the TCB's own `@cm event=...` lines and the
// `[vm] ...` lines that the hypervisor prefixes with the VM's name. A VM can print anything, `@cm` included, but never without its prefix.
// UNTRUSTED: used for progress and for the traffic proof, never for a security decision.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace casemate::session {

using Fields = std::map<std::string, std::string, std::less<>>;

/// `@cm event=NAME key=value ...` at the start of a line.
struct ConsoleEvent {
    std::string name;
    Fields fields;

    /// The field's value, or an empty string.
    [[nodiscard]] std::string get(std::string_view key) const;
};

/// A line of a VM's own console.
struct VmLine {
    std::string vm;
    std::string text;
};

[[nodiscard]] std::optional<ConsoleEvent> parse_event(std::string_view line);
[[nodiscard]] std::optional<VmLine> parse_vm_line(std::string_view line);
/// `MARKER KIND key=value ...` anywhere in a line; the event's name is KIND. The marker ends with a space.
[[nodiscard]] std::optional<ConsoleEvent> parse_marked(std::string_view text, std::string_view marker);
/// `CM_PROOF KIND key=value ...` anywhere in a VM's line; the event's name is KIND.
[[nodiscard]] std::optional<ConsoleEvent> parse_proof(std::string_view text);
/// `CM_STATE NAME key=value ...` likewise.
[[nodiscard]] std::optional<ConsoleEvent> parse_state(std::string_view text);

} // namespace casemate::session
