// SPDX-License-Identifier: Apache-2.0
// Which fault comes when: a pure function of the campaign's seed and the fault's number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace casemate::faults {

/// As drivervms/faults/main.c names them; what each does: docs/interfaces/faults.md.
[[nodiscard]] const std::vector<std::string>& classes();

struct Fault {
    std::uint64_t number = 0; // from 0
    std::string kind;         // its class
    std::uint64_t seed = 0;   // everything else about it
};

/// Of `kinds`, each comes once in every row of kinds.size() faults, in an order of that row's own.
[[nodiscard]] Fault fault_for(std::uint64_t campaign_seed, std::uint64_t number, const std::vector<std::string>& kinds);

} // namespace casemate::faults
