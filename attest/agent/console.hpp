// SPDX-License-Identifier: Apache-2.0
// The agent's log: `CM_AGENT event=<name> key=value ...` lines on its console. Text from outside goes in as one
// quoted value without control characters, so that nobody can forge a line.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace casemate::agent {

[[nodiscard]] inline std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text.substr(0, 300)) out.push_back(c < ' ' || c > '~' ? '?' : c == '"' ? '\'' : c);
    return out + "\"";
}

inline void say(const std::string& event) {
    std::printf("CM_AGENT event=%s\n", event.c_str());
    std::fflush(stdout);
}

} // namespace casemate::agent
