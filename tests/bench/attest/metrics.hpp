// SPDX-License-Identifier: Apache-2.0
// The table of what `casemate bench attest` measures, and which bar each number is to reach (docs/interfaces/bench.md).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace casemate::bench::attest {

struct Bar {
    enum class Side { at_least, at_most } side;
    double value;
    [[nodiscard]] bool met(double seen) const { return side == Side::at_least ? seen >= value : seen <= value; }
    [[nodiscard]] std::string text() const;
};

struct Metric {
    const char* name; // unique; what --only begins with
    const char* title;
    const char* unit;
    std::optional<Bar> bar = {};
};

/// By metric; a value a round.
using Values = std::map<std::string, std::vector<double>>;

[[nodiscard]] std::span<const Metric> metrics();
/// Whether any metric of those that are measured together, whose names begin with `group`, has a name that begins with `only`.
[[nodiscard]] bool wanted(const std::string& group, const std::string& only);

} // namespace casemate::bench::attest
