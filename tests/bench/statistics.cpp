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

std::vector<double> present(const Column& column) {
    std::vector<double> numbers;
    for (const auto& value : column)
        if (value) numbers.push_back(*value);
    return numbers;
}

std::vector<double> paired_ratios(const Column& casemate, const Column& native) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(casemate.size(), native.size()); ++i)
        if (casemate[i] && native[i] && *native[i] != 0) ratios.push_back(*casemate[i] / *native[i]);
    return ratios;
}

std::optional<double> slope(const std::vector<std::pair<double, double>>& points) {
    const double count = static_cast<double>(points.size());
    double x_mean = 0, y_mean = 0;
    for (const auto& [x, y] : points) {
        x_mean += x / count;
        y_mean += y / count;
    }
    double together = 0, squares = 0;
    for (const auto& [x, y] : points) {
        together += (x - x_mean) * (y - y_mean);
        squares += (x - x_mean) * (x - x_mean);
    }
    return squares == 0 ? std::nullopt : std::optional{together / squares};
}

} // namespace casemate::bench
