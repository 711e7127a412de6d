// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/statistics.hpp"

#include <algorithm>

namespace casemate::bench {

Spread spread_of(std::vector<double> numbers) {
    std::ranges::sort(numbers);
    const std::size_t middle = numbers.size() / 2;
    const double median = numbers.size() % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
    return {median, numbers.front(), numbers.back()};
}

std::vector<double> paired_ratios(const std::vector<double>& casemate, const std::vector<double>& native) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(casemate.size(), native.size()); ++i)
        if (native[i] != 0) ratios.push_back(casemate[i] / native[i]);
    return ratios;
}

} // namespace casemate::bench
