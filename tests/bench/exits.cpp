// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/exits.hpp"

#include <algorithm>

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

std::optional<ExitSample> sample_of(const nlohmann::json& status, const std::string& vm, Clock::time_point seen) {
    if (!status.is_object() || !status.contains("vms")) return std::nullopt;
    for (const auto& candidate : status["vms"]) {
        if (candidate.value("name", "") != vm) continue;
        return ExitSample{seen, status.value("uptime_ms", 0.0) / 1000, candidate.value("exits", ExitsByKind{})};
    }
    return std::nullopt;
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
