// SPDX-License-Identifier: Apache-2.0
// The owner's policy as TOML text -> Policy. Reports every problem it finds with its line, not only the first.
// Host only. An unknown key is a problem: a misspelt rule must not silently mean something else.
#pragma once

#include "policy/model/policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace casemate::policy {

struct Problem {
    std::size_t line = 0; // 1 = first; 0 when it concerns the whole text
    std::string what;
};

struct Inventory; // inventory.hpp

/// [txt]: what the launch control policy of an Intel machine needs beside the files (policy/lcp). Not in the bundle: SINIT reads it.
struct TxtLaunch {
    std::string tboot_command_line;
    std::uint32_t minimum_sinit = 0; // version of the SINIT module
};

struct Source {
    Policy policy; // valid when there are no problems
    std::optional<TxtLaunch> txt;
    std::vector<Problem> problems;
};

/// `grant_key` goes into the policy, which is validated with it. `inventory`: what devices without both location and id are looked up in.
[[nodiscard]] Source read_source(std::string_view toml, const std::array<std::uint8_t, public_key_size>& grant_key, const Inventory* inventory = nullptr);

} // namespace casemate::policy
