// SPDX-License-Identifier: Apache-2.0
// \casemate\launch.cfg: which files the launcher loads [docs/interfaces/launch.md]. Text, one `key = value` a line,
// `#` starts a comment; `slb`, `hypervisor` and `policy` once each, `image` up to 16 times.
// UNTRUSTED like everything before the launch; parsed strictly all the same, so that a mistake is named with its
// line. Called by dlaunch.efi. Names are views into the text.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/base/result.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace casemate::efi {

enum class ConfigProblem {
    no_equals = 1, // a line that is neither empty nor key = value
    unknown_key,
    key_twice,
    bad_name,      // empty, longer than 31, or not of letters, digits, `.`, `-`, `_`
    too_many_images,
    key_missing,   // slb, hypervisor or policy is not there; line 0
};

struct ConfigError {
    ConfigProblem problem = ConfigProblem::no_equals;
    unsigned line = 0;
};

struct LaunchConfig {
    std::string_view slb, hypervisor, policy;
    std::array<std::string_view, launch::max_images> images{};
    std::size_t image_count = 0;

    static Result<LaunchConfig, ConfigError> parse(std::string_view text);
};

std::string_view describe(ConfigProblem problem);

} // namespace casemate::efi
