// SPDX-License-Identifier: Apache-2.0
// Implements fault.hpp. SplitMix64, not a library's engine: the same faults with every compiler.
#include "tests/faults/fault.hpp"

#include <utility>

namespace casemate::faults {
namespace {

std::uint64_t mixed(std::uint64_t z) {
    z += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/// Fisher-Yates.
std::vector<std::string> shuffled(std::vector<std::string> kinds, std::uint64_t seed) {
    for (std::size_t left = kinds.size(); left > 1; --left) {
        seed = mixed(seed);
        std::swap(kinds[left - 1], kinds[seed % left]);
    }
    return kinds;
}

} // namespace

const std::vector<std::string>& classes() {
    static const std::vector<std::string> all{"text", "module", "data", "stack", "pagetable", "call",
                                              "ring", "dma",    "msi",  "spin",  "exhaust"};
    return all;
}

Fault fault_for(std::uint64_t campaign_seed, std::uint64_t number, const std::vector<std::string>& kinds) {
    const std::uint64_t row = number / kinds.size();
    return {number, shuffled(kinds, mixed(campaign_seed) ^ row)[number % kinds.size()], mixed(mixed(campaign_seed ^ 1) ^ number)};
}

} // namespace casemate::faults
