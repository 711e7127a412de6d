// SPDX-License-Identifier: Apache-2.0
// Median and spread of few numbers.
#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace casemate::bench {

struct Spread {
    double median = 0;
    double least = 0;
    double most = 0;
};

/// A value a round; none where the round did not give it.
using Column = std::vector<std::optional<double>>;

/// Of at least one number.
[[nodiscard]] Spread spread_of(std::vector<double> numbers);
/// Those that are there.
[[nodiscard]] std::vector<double> present(const Column& column);
/// casemate[i] / native[i] for each round that has both; rounds interleave, so each pair saw the same machine.
[[nodiscard]] std::vector<double> paired_ratios(const Column& casemate, const Column& native);
/// How much y grows for each x, by least squares; nothing of fewer than two different x.
[[nodiscard]] std::optional<double> slope(const std::vector<std::pair<double, double>>& points);

} // namespace casemate::bench
