// SPDX-License-Identifier: Apache-2.0
// The tables for a person, of the report alone.
#include "tests/bench/report.hpp"

#include "dlaunch/session/table.hpp"

#include <algorithm>

namespace casemate::bench {

using nlohmann::json;
using session::Row;

namespace {

std::string number(double value) {
    char text[32];
    const int digits = value >= 1000 ? 0 : value >= 10 ? 1 : 3;
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string with_spread(const json& spread) {
    if (spread.is_null()) return "-";
    return number(spread["median"]) + " (" + number(spread["min"]) + "-" + number(spread["max"]) + ")";
}

std::string verdict(const json& bar) {
    if (bar.is_null()) return "";
    const char* const met = bar["met"].is_null() ? "not measured" : bar["met"].get<bool>() ? "met" : "NOT MET";
    return bar["ratio"].get<std::string>() + " " + met;
}

std::string heading_of(const json& expected) {
    return "AT " + number(expected["cycles_an_exit"]) + " CYCLES AN EXIT*";
}

/// A table with its heading, or nothing if there is nothing in it; a blank line after it.
std::string with_blank(const std::vector<Row>& rows) { return rows.size() < 2 ? "" : session::aligned(rows) + "\n"; }

/// Driver VMs against the native kernel.
std::string native_table(const json& report) {
    std::vector<Row> rows{{"MEDIAN (MIN-MAX)", "UNIT", "NATIVE", "CASEMATE", "CASEMATE/NATIVE", "BAR", heading_of(report["expected"])}};
    for (const json& metric : report["metrics"])
        if (!metric["native"].is_null() && metric["driver_vm"].is_null())
            rows.push_back({metric["title"], metric["unit"], with_spread(metric["native"]), with_spread(metric["casemate"]),
                            with_spread(metric["ratio"]), verdict(metric["bar"]), with_spread(metric["expected_ratio"])});
    return with_blank(rows);
}

/// Clients against the native kernel and against their driver VMs.
std::string client_table(const json& report) {
    std::vector<Row> rows{{"A CLIENT'S", "UNIT", "NATIVE", "DRIVER VM", "CLIENT", "CLIENT/NATIVE", "CLIENT/DRIVER VM", heading_of(report["expected"])}};
    for (const json& metric : report["metrics"])
        if (!metric["driver_vm"].is_null())
            rows.push_back({metric["title"], metric["unit"], with_spread(metric["native"]), with_spread(metric["driver_vm"]),
                            with_spread(metric["casemate"]), with_spread(metric["ratio"]), with_spread(metric["ratio_to_driver_vm"]),
                            with_spread(metric["expected_ratio"])});
    return with_blank(rows);
}

/// What has no native side, workload by workload.
std::string own_table(const json& report) {
    std::vector<Row> rows{{"CASEMATE ONLY", "WHAT", "UNIT", "MEDIAN (MIN-MAX)"}};
    for (const json& metric : report["metrics"])
        if (metric["native"].is_null()) rows.push_back({metric["workload"], metric["title"], metric["unit"], with_spread(metric["casemate"])});
    for (const json& entry : report["curve"])
        if (!entry["each_vm"].is_null()) rows.push_back({"each further VM", entry["title"], entry["unit"], with_spread(entry["each_vm"])});
    return with_blank(rows);
}

std::string exit_table(const json& report) {
    std::vector<Row> rows{{"EXITS PER 1,000", "IN", "VM", "OF", "TOTAL", "A SECOND", "BY KIND"}};
    for (const json& entry : report["exits"]) {
        std::string kinds;
        for (const auto& [kind, count] : entry["by_kind"].items())
            if (count.get<double>() >= 0.05) kinds += kind + " " + number(count) + "  ";
        rows.push_back({entry["name"], entry["workload"], entry["vm"], entry["per_thousand"], with_spread(entry["total"]), with_spread(entry["per_second"]),
                        kinds});
    }
    return with_blank(rows);
}

/// Nothing when nothing was computed.
std::string expected_line(const json& report) {
    const json& expected = report["expected"];
    if (std::ranges::all_of(report["metrics"], [](const json& metric) { return metric["expected_ratio"].is_null(); })) return "";
    return "  * computed, not measured: from the native time and the counted exits, " + number(expected["cycles_an_exit"]) + " cycles each at " +
           number(expected["clock_hertz"].get<double>() / 1e9) + " GHz (docs/interfaces/bench.md)\n";
}

std::string size_line(const char* name, const json& size) {
    if (size.is_null()) return std::string{"  "} + name + ": unknown\n";
    return std::string{"  "} + name + ": text " + size["text"].dump() + ", data " + size["data"].dump() + ", bss " +
           size["bss"].dump() + " bytes\n";
}

} // namespace

std::string tables(const json& report) {
    std::string text = native_table(report) + client_table(report) + own_table(report) + exit_table(report);
    text += expected_line(report);
    text += "  SKINIT to the first VM: " + with_spread(report["launch"]["first_vm_seconds"]) + " s; to the first grant: " +
            with_spread(report["launch"]["first_grant_seconds"]) + " s\n";
    text += size_line("slb.elf", report["size"]["slb"]) + size_line("hypervisor.elf", report["size"]["hypervisor"]);
    const json& lines = report["lines"];
    text += "  lines of code: SLB and hypervisor " + lines["slb_and_hypervisor"].dump() + " (<= " + lines["bar"].dump() +
            (lines["met"].get<bool>() ? " met" : " NOT MET") + "); compiled into the two images, shared libraries of ours included: " +
            lines["compiled_in"].dump() + "\n";
    if (report["network"]["kind"] == "user")
        text += "  network: QEMU's user network, slow in itself and the same on both sides; no tap because " +
                report["network"]["why_not_tap"].get<std::string>() + "\n";
    return text;
}

} // namespace casemate::bench
