// SPDX-License-Identifier: Apache-2.0
// Median and spread of few numbers.
#pragma once

#include <vector>

namespace casemate::bench {

struct Spread {
    double median = 0;
    double least = 0;
    double most = 0;
};

/// Of at least one number.
[[nodiscard]] Spread spread_of(std::vector<double> numbers);
/// casemate[i] / native[i] for each round that has both; rounds interleave, so each pair saw the same machine.
[[nodiscard]] std::vector<double> paired_ratios(const std::vector<double>& casemate, const std::vector<double>& native);

} // namespace casemate::bench
