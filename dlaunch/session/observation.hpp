// SPDX-License-Identifier: Apache-2.0
// What one session has seen so far, with when: the material of the table, the report and the platform tests.
#pragma once

#include "dlaunch/session/console_event.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace casemate::session {

using Clock = std::chrono::steady_clock;

struct SeenEvent {
    ConsoleEvent event;
    Clock::time_point when;
};

struct Observation {
    std::vector<SeenEvent> events;                // the TCB's, in order
    std::map<std::string, ConsoleEvent> proofs;   // by kind: "net", "disk"
    std::map<std::string, ConsoleEvent> states;   // by VM: what it last said of itself
    std::vector<std::string> lines;               // the whole console
    std::vector<nlohmann::json> launches;         // one a SKINIT, as the platform model logged it
    Clock::time_point launched_when{};            // the last of them
    nlohmann::json status;                        // the agent's last status report; null before the first
    Clock::time_point status_when{};
    std::string ending;                           // why the platform stopped by itself; empty while it runs

    [[nodiscard]] std::size_t count(std::string_view name) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(events, [&](const SeenEvent& seen) { return seen.event.name == name; }));
    }
    /// The first event of this name whose fields include all of `fields`; nullptr if none.
    [[nodiscard]] const SeenEvent* find(std::string_view name, const Fields& fields = {}) const {
        const auto found = std::ranges::find_if(events, [&](const SeenEvent& seen) {
            return seen.event.name == name &&
                   std::ranges::all_of(fields, [&](const auto& f) { return seen.event.get(f.first) == f.second; });
        });
        return found == events.end() ? nullptr : &*found;
    }
    [[nodiscard]] bool said(std::string_view text) const {
        return std::ranges::any_of(lines,
                                   [&](const std::string& line) { return line.find(text) != std::string::npos; });
    }
};

} // namespace casemate::session
