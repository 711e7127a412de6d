// SPDX-License-Identifier: Apache-2.0
// The table of what is measured: in which workloads, in which unit, how much of it, and which bar it is to reach.
#pragma once

#include "dlaunch/model/emulator.hpp"
#include "tests/bench/workloads.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace casemate::bench {

/// What the ratio Casemate / native is to be.
struct Bar {
    enum class Side { at_least, at_most } side;
    double ratio;
    [[nodiscard]] bool met(double value) const { return side == Side::at_least ? value >= ratio : value <= ratio; }
    [[nodiscard]] std::string text() const;
};

struct Metric {
    const char* name; // unique; what --only begins with
    const char* key;  // in a run's values, and in the probe's plan
    const char* title;
    const char* unit; // empty: told nowhere, but done whenever something of its family is
    Family family;
    std::uint64_t amount; // of the probe's plan; 0: not measured by the probe
    const char* work;     // what `exits per 1,000` counts; empty: nothing
    std::optional<Bar> bar;
    std::optional<Bar> direct_bar = {}; // where interrupts need no exits (docs/adr/0018)

    [[nodiscard]] const std::optional<Bar>& bar_on(const model::Emulator& qemu) const { return qemu.has_x2apic() && direct_bar ? direct_bar : bar; }
};

using Names = std::set<std::string>;

[[nodiscard]] std::span<const Metric> metrics();
[[nodiscard]] const Metric* find_metric(const std::string& name);
/// What a client's metric is compared with: that of the driver VM itself. nullptr of any other.
[[nodiscard]] const Metric* compared_with(const Metric& metric);
/// The metrics whose name begins with `only`, and those that they are compared with.
[[nodiscard]] Names chosen(const std::string& only);
/// Whether any of them is measured by this workload.
[[nodiscard]] bool wanted(const Workload& workload, const Names& chosen);
/// The probe's plan for those of them that this workload measures.
[[nodiscard]] std::string plan_for(const Workload& workload, const Names& chosen);
/// Seconds for one unit of work at this value: a rate tells units a second, all else is a time.
[[nodiscard]] double seconds_a_unit(const Metric& metric, double value);

} // namespace casemate::bench
