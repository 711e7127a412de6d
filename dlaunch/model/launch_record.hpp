// SPDX-License-Identifier: Apache-2.0
// What happened at one SKINIT, and its JSON line (docs/platform-model.md lists the keys).
#pragma once

#include "dlaunch/model/skinit_rules.hpp"

namespace casemate::model {

enum class LaunchResult { launched, unmeasured, undefined_opcode, general_protection };

struct LaunchRecord {
    LaunchResult result = LaunchResult::undefined_opcode;
    std::string reason; // of a refusal
    std::string thread;
    std::uint64_t instruction = 0; // linear address of SKINIT
    ProcessorState processor;
    SecureLoader loader;
    std::string sha256; // of the measured bytes, hex; empty when refused
    std::uint64_t microseconds = 0; // that the machine stood still
};

const char* name_of(LaunchResult result);
/// One line without its newline.
std::string to_json(const LaunchRecord& record);

} // namespace casemate::model
