// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/metrics.hpp"

#include <algorithm>

namespace casemate::bench {
namespace {

constexpr Bar at_least(double ratio) { return {Bar::Side::at_least, ratio}; }
constexpr Bar at_most(double ratio) { return {Bar::Side::at_most, ratio}; }

constexpr Metric table[] = {
    {"boot", "boot", "boot to the first process", "s", Family::net, 0, "", at_most(1.1)},
    {"boot_uptime", "boot_uptime", "the same by the kernel's own clock", "s", Family::net, 0, "", {}},
    {"net_idle", "idle", "", "", Family::net, 5, "", {}},
    {"tcp_receive", "tcp_receive", "bulk TCP receive", "Mb/s", Family::net, 2048, "packets", at_least(0.80), at_least(0.95)},
    {"tcp_send", "tcp_send", "bulk TCP send", "Mb/s", Family::net, 1024, "packets", at_least(0.55), at_least(0.95)},
    {"udp_receive", "udp_receive", "UDP receive, 64 bytes", "packets/s", Family::net, 4, "packets", {}, at_least(0.95)},
    {"udp_send", "udp_send", "UDP send, 64 bytes", "packets/s", Family::net, 4, "packets", {}, at_least(0.95)},
    {"udp_round_trip", "udp_round_trip", "UDP round trip", "us", Family::net, 3000, "packets", {}},

    {"disk_idle", "idle", "", "", Family::disk, 5, "", {}},
    {"sequential_write", "sequential_write", "NVMe sequential write, 1 MiB", "MB/s", Family::disk, 384, "I/Os", {}},
    {"sequential_read", "sequential_read", "NVMe sequential read, 1 MiB", "MB/s", Family::disk, 384, "I/Os", {}},
    {"random_read", "random_read", "NVMe random read, 4 KiB, depth 1", "I/O/s", Family::disk, 8000, "I/Os", {}},
    {"random_write", "random_write", "NVMe random write, 4 KiB, depth 1", "I/O/s", Family::disk, 8000, "I/Os", {}},
    {"random_read_deep", "random_read_deep", "NVMe random read, 4 KiB, depth 8", "I/O/s", Family::disk, 16000, "I/Os", {}},
    {"random_write_deep", "random_write_deep", "NVMe random write, 4 KiB, depth 8", "I/O/s", Family::disk, 16000, "I/Os", {}},

    {"client_net_idle", "idle", "", "", Family::client_net, 5, "", {}},
    {"client_tcp_receive", "tcp_receive", "bulk TCP receive", "Mb/s", Family::client_net, 128, "packets", {}},
    {"client_tcp_send", "tcp_send", "bulk TCP send", "Mb/s", Family::client_net, 64, "packets", {}},
    {"client_udp_receive", "udp_receive", "UDP receive, 64 bytes", "packets/s", Family::client_net, 4, "packets", {}},
    {"client_udp_send", "udp_send", "UDP send, 64 bytes", "packets/s", Family::client_net, 4, "packets", {}},
    {"client_udp_round_trip", "udp_round_trip", "UDP round trip", "us", Family::client_net, 1000, "packets", {}},

    {"client_disk_idle", "idle", "", "", Family::client_disk, 5, "", {}},
    {"client_sequential_write", "sequential_write", "sequential write, 1 MiB", "MB/s", Family::client_disk, 64, "I/Os", {}},
    {"client_sequential_read", "sequential_read", "sequential read, 1 MiB", "MB/s", Family::client_disk, 64, "I/Os", {}},
    {"client_random_read", "random_read", "random read, 4 KiB, depth 1", "I/O/s", Family::client_disk, 500, "I/Os", {}},
    {"client_random_write", "random_write", "random write, 4 KiB, depth 1", "I/O/s", Family::client_disk, 500, "I/Os", {}},

    {"restart_probe", "udp_round_trip", "", "", Family::restart, 1, "", {}},
    {"restart_away", "away", "VM's end to its start", "ms", Family::restart, 0, "", {}},
    {"restart_first_byte", "first_byte", "VM's end to the first byte", "ms", Family::restart, 0, "", {}},
    {"restart_without_link", "without_link", "the same without the link's coming up", "ms", Family::restart, 0, "", {}},

    {"vms_idle", "idle", "", "", Family::vms, 15, "", {}},
    {"vms_load", "load", "all idle: load of the host", "% of a processor", Family::vms, 0, "", {}},
    {"vms_exits", "exits", "all idle: exits of all VMs", "exits/s", Family::vms, 0, "", {}},
    {"vms_boot", "boot", "boot to the first process", "s", Family::vms, 0, "", {}},
    {"vms_tcp_receive", "tcp_receive", "bulk TCP receive", "Mb/s", Family::vms, 256, "packets", {}},
};

constexpr unsigned settling_seconds_a_vm = 5; // until VMs that are to be idle have booted, one after the other

bool told(const Metric& metric) { return *metric.unit != '\0'; }

void add_step(std::string& plan, const char* key, std::uint64_t amount) {
    plan += (plan.empty() ? "" : ",") + std::string{key} + ":" + std::to_string(amount);
}

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

const Metric* compared_with(const Metric& metric) {
    if (metric.family != Family::client_net && metric.family != Family::client_disk) return nullptr;
    return find_metric(metric.key);
}

Names chosen(const std::string& only) {
    Names names;
    for (const Metric& metric : table) {
        if (!told(metric) || !std::string{metric.name}.starts_with(only)) continue;
        names.insert(metric.name);
        if (const Metric* other = compared_with(metric)) names.insert(other->name);
    }
    return names;
}

bool wanted(const Workload& workload, const Names& chosen) {
    return std::ranges::any_of(
        table, [&](const Metric& metric) { return metric.family == workload.family && chosen.contains(metric.name); });
}

std::string plan_for(const Workload& workload, const Names& chosen) {
    std::string plan;
    if (workload.idle_vms != 0) add_step(plan, "settle", settling_seconds_a_vm * workload.idle_vms);
    for (const Metric& metric : table) {
        const bool needed = chosen.contains(metric.name) || !told(metric);
        if (metric.family == workload.family && metric.amount != 0 && needed) add_step(plan, metric.key, metric.amount);
    }
    return plan;
}

double seconds_a_unit(const Metric& metric, double value) {
    const std::string unit = metric.unit;
    if (unit.ends_with("/s")) return 1 / value;
    return unit == "us" ? value * 1e-6 : unit == "ms" ? value * 1e-3 : value;
}

} // namespace casemate::bench
