// SPDX-License-Identifier: Apache-2.0
// The table of what is measured: by whom, in which unit, how much of it, and which bar it is to reach.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace casemate::bench {

/// One driver VM with one device works at a time.
enum class Workload { net, disk };

/// What the ratio Casemate / native is to be.
struct Bar {
    enum class Side { at_least, at_most } side;
    double ratio;
    [[nodiscard]] bool met(double value) const { return side == Side::at_least ? value >= ratio : value <= ratio; }
    [[nodiscard]] std::string text() const;
};

struct Metric {
    const char* name;
    const char* title;
    const char* unit;
    Workload workload;
    std::uint64_t amount; // of the probe's plan; 0: not measured by the probe
    const char* work;     // what `exits per 1,000` counts; empty: nothing
    std::optional<Bar> bar;
};

[[nodiscard]] std::span<const Metric> metrics();
[[nodiscard]] const Metric* find_metric(const std::string& name);
/// The probe's plan for those metrics of `workload` whose name contains `only`; empty when there is none.
[[nodiscard]] std::string plan_for(Workload workload, const std::string& only);
[[nodiscard]] const char* name_of(Workload workload);
/// The VM that does it.
[[nodiscard]] const char* vm_of(Workload workload);

} // namespace casemate::bench
