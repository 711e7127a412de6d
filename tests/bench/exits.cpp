// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/exits.hpp"

#include "dlaunch/session/live_report.hpp"

#include <algorithm>
#include <numeric>

namespace casemate::bench {
namespace {

struct Difference {
    double seconds;
    ExitsByKind exits;
};

/// Between the last sample that was seen before the measurement and the first that was read after it.
std::optional<Difference> around(const std::vector<ExitSample>& samples, const Timed& measurement) {
    const ExitSample* before = nullptr;
    const ExitSample* after = nullptr;
    for (const ExitSample& sample : samples) {
        if (sample.seen <= measurement.begun) before = &sample;
        if (sample.seen >= measurement.ended + report_lag && after == nullptr) after = &sample;
    }
    if (before == nullptr || after == nullptr) return std::nullopt;
    Difference difference{after->uptime_seconds - before->uptime_seconds, {}};
    for (const auto& [kind, count] : after->exits) {
        const auto earlier = before->exits.find(kind);
        difference.exits[kind] = count - (earlier == before->exits.end() ? 0 : earlier->second);
    }
    return difference;
}

} // namespace

std::map<std::string, ExitSample> samples_of(const nlohmann::json& status, Clock::time_point seen) {
    std::map<std::string, ExitSample> samples;
    for (const auto& vm : session::array_member(status, "vms"))
        if (vm.is_object()) samples[vm.value("name", "")] = {seen, status.value("uptime_ms", 0.0) / 1000, vm.value("exits", ExitsByKind{})};
    return samples;
}

double total(const ExitsByKind& exits) {
    return std::accumulate(exits.begin(), exits.end(), 0.0, [](double sum, const auto& kind) { return sum + kind.second; });
}

ExitsByKind idle_rate(const std::vector<ExitSample>& samples, const Timed& idle) {
    const auto difference = around(samples, idle);
    if (!difference || difference->seconds <= 0) return {};
    ExitsByKind rate = difference->exits;
    for (auto& [kind, count] : rate) count /= difference->seconds;
    return rate;
}

ExitsByKind exits_during(const std::vector<ExitSample>& samples, const Timed& measurement, const ExitsByKind& idle) {
    const auto difference = around(samples, measurement);
    if (!difference) return {};
    const double rest = std::max(0.0, difference->seconds - measurement.seconds);
    ExitsByKind exits = difference->exits;
    for (auto& [kind, count] : exits) {
        const auto found = idle.find(kind);
        if (found != idle.end()) count = std::max(0.0, count - rest * found->second);
    }
    return exits;
}

} // namespace casemate::bench
