// SPDX-License-Identifier: Apache-2.0
// See console_event.hpp.
#include "dlaunch/session/console_event.hpp"

namespace casemate::session {

namespace {

constexpr std::string_view event_marker = "@cm ";
constexpr std::string_view proof_marker = "CM_PROOF ", state_marker = "CM_STATE ";

std::string_view next_word(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

Fields parse_fields(std::string_view rest) {
    Fields fields;
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) continue;
        fields.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
    return fields;
}

} // namespace

std::string ConsoleEvent::get(std::string_view key) const {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string{} : found->second;
}

std::optional<ConsoleEvent> parse_event(std::string_view line) {
    if (!line.starts_with(event_marker)) return std::nullopt;
    ConsoleEvent event{.name = {}, .fields = parse_fields(line.substr(event_marker.size()))};
    event.name = event.get("event");
    if (event.name.empty()) return std::nullopt;
    return event;
}

std::optional<VmLine> parse_vm_line(std::string_view line) {
    if (!line.starts_with('[')) return std::nullopt;
    const std::size_t close = line.find("] ");
    if (close == std::string_view::npos || close < 2) return std::nullopt;
    return VmLine{.vm = std::string{line.substr(1, close - 1)}, .text = std::string{line.substr(close + 2)}};
}

std::optional<ConsoleEvent> parse_proof(std::string_view text) { return parse_marked(text, proof_marker); }
std::optional<ConsoleEvent> parse_state(std::string_view text) { return parse_marked(text, state_marker); }

std::optional<ConsoleEvent> parse_marked(std::string_view text, std::string_view marker) {
    const std::size_t at = text.find(marker);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(at + marker.size());
    const std::string_view kind = next_word(rest);
    return ConsoleEvent{.name = std::string{kind}, .fields = parse_fields(rest)};
}

} // namespace casemate::session
