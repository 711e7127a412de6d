// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/metrics.hpp"

#include <algorithm>

namespace casemate::bench {
namespace {

constexpr Bar at_least(double ratio) { return {Bar::Side::at_least, ratio}; }
constexpr Bar at_most(double ratio) { return {Bar::Side::at_most, ratio}; }

constexpr Metric table[] = {
    {"boot", "boot to the first process", "s", Workload::net, 0, "", at_most(1.1)},
    {"boot_uptime", "the same by the kernel's own clock", "s", Workload::net, 0, "", {}},
    {"idle", "idle", "", Workload::net, 5, "", {}},
    {"tcp_receive", "bulk TCP receive", "Mb/s", Workload::net, 512, "packets", at_least(0.75)},
    {"tcp_send", "bulk TCP send", "Mb/s", Workload::net, 128, "packets", {}},
    {"udp_receive", "UDP receive, 64 bytes", "packets/s", Workload::net, 4, "packets", {}},
    {"udp_send", "UDP send, 64 bytes", "packets/s", Workload::net, 4, "packets", {}},
    {"udp_round_trip", "UDP round trip", "us", Workload::net, 3000, "packets", {}},
    {"disk_idle", "idle", "", Workload::disk, 5, "", {}},
    {"sequential_write", "NVMe sequential write, 1 MiB", "MB/s", Workload::disk, 384, "I/Os", {}},
    {"sequential_read", "NVMe sequential read, 1 MiB", "MB/s", Workload::disk, 384, "I/Os", {}},
    {"random_read", "NVMe random read, 4 KiB, depth 1", "I/O/s", Workload::disk, 4000, "I/Os", {}},
    {"random_write", "NVMe random write, 4 KiB, depth 1", "I/O/s", Workload::disk, 4000, "I/Os", {}},
    {"random_read_deep", "NVMe random read, 4 KiB, depth 8", "I/O/s", Workload::disk, 8000, "I/Os", {}},
    {"random_write_deep", "NVMe random write, 4 KiB, depth 8", "I/O/s", Workload::disk, 8000, "I/Os", {}},
};

bool is_idle(const Metric& metric) { return std::string{metric.name}.ends_with("idle"); }

} // namespace

std::string Bar::text() const {
    char text[32];
    std::snprintf(text, sizeof text, "%s %.2f", side == Side::at_least ? ">=" : "<=", ratio);
    return text;
}

std::span<const Metric> metrics() { return table; }

const Metric* find_metric(const std::string& name) {
    const auto found = std::ranges::find_if(table, [&](const Metric& metric) { return name == metric.name; });
    return found == std::end(table) ? nullptr : &*found;
}

std::string plan_for(Workload workload, const std::string& only) {
    std::string plan;
    bool wanted = false;
    for (const Metric& metric : table) {
        if (metric.workload != workload) continue;
        const bool chosen = std::string{metric.name}.find(only) != std::string::npos;
        wanted = wanted || chosen;
        // Idle always: the exits of the others are counted against it.
        if (metric.amount != 0 && (chosen || is_idle(metric)))
            plan += (plan.empty() ? "" : ",") + std::string{is_idle(metric) ? "idle" : metric.name} + ":" +
                    std::to_string(metric.amount);
    }
    return wanted ? plan : "";
}

const char* name_of(Workload workload) { return workload == Workload::net ? "net" : "disk"; }
const char* vm_of(Workload workload) { return workload == Workload::net ? "net0" : "disk0"; }

} // namespace casemate::bench
