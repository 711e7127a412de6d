// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.hpp"

#include "dlaunch/session/table.hpp"
#include "tests/bench/code_lines.hpp"
#include "tests/bench/elf_size.hpp"
#include "tests/bench/statistics.hpp"

namespace casemate::bench {

using nlohmann::json;

namespace {

constexpr std::size_t lines_bar = 11000;

std::vector<double> values_of(const std::vector<RunResult>& runs, const std::string& metric) {
    std::vector<double> values;
    for (const RunResult& run : runs)
        if (const auto found = run.values.find(metric); found != run.values.end()) values.push_back(found->second);
    return values;
}

json spread(const std::vector<double>& values) {
    if (values.empty()) return nullptr;
    const Spread found = spread_of(values);
    return {{"median", found.median}, {"min", found.least}, {"max", found.most}, {"values", values}};
}

json bar_of(const Metric& metric, const json& ratio) {
    if (!metric.bar) return nullptr;
    return {{"ratio", metric.bar->text()},
            {"met", ratio.is_null() ? json(nullptr) : json(metric.bar->met(ratio["median"].get<double>()))}};
}

json metric_entry(const Metric& metric, const SideRuns& runs) {
    const auto native = values_of(runs.native, metric.name);
    const auto casemate = values_of(runs.casemate, metric.name);
    const json ratio = spread(paired_ratios(casemate, native));
    return {{"name", metric.name},       {"title", metric.title},        {"unit", metric.unit},
            {"native", spread(native)},  {"casemate", spread(casemate)}, {"ratio", ratio},
            {"bar", bar_of(metric, ratio)}};
}

const Timed* measurement(const RunResult& run, const std::string& metric) {
    for (const Timed& timed : run.measurements)
        if (timed.metric == metric) return &timed;
    return nullptr;
}

json interrupts_per_thousand(const std::vector<RunResult>& runs, const std::string& metric) {
    std::vector<double> values;
    for (const RunResult& run : runs)
        if (const Timed* timed = measurement(run, metric); timed != nullptr && timed->work > 0)
            values.push_back(1000 * timed->interrupts / timed->work);
    return values.empty() ? json(nullptr) : json(spread_of(values).median);
}

/// The median of each kind; null when a run's status reports did not enclose the measurement.
json exits_entry(const Metric& metric, const SideRuns& runs) {
    std::map<std::string, std::vector<double>> by_kind;
    std::vector<double> totals, per_second;
    for (const RunResult& run : runs.casemate) {
        const Timed* timed = measurement(run, metric.name);
        const auto exits = run.exits.find(metric.name);
        if (timed == nullptr || timed->work == 0 || exits == run.exits.end() || exits->second.empty()) continue;
        double total = 0;
        for (const auto& [kind, count] : exits->second) {
            by_kind[kind].push_back(1000 * count / timed->work);
            total += count;
        }
        totals.push_back(1000 * total / timed->work);
        per_second.push_back(total / timed->seconds);
    }
    json kinds = json::object();
    for (const auto& [kind, values] : by_kind) kinds[kind] = spread_of(values).median;
    return {{"name", metric.name},
            {"per_thousand", metric.work},
            {"total", spread(totals)},
            {"by_kind", kinds},
            {"per_second", spread(per_second)},
            {"interrupts_native", interrupts_per_thousand(runs.native, metric.name)},
            {"interrupts_casemate", interrupts_per_thousand(runs.casemate, metric.name)}};
}

json idle_entry(const SideRuns& runs) {
    std::map<std::string, std::vector<double>> by_kind;
    for (const RunResult& run : runs.casemate)
        for (const auto& [kind, rate] : run.idle_exits) by_kind[kind].push_back(rate);
    json kinds = json::object();
    for (const auto& [kind, values] : by_kind) kinds[kind] = spread_of(values).median;
    return kinds;
}

json launch_entry(const Runs& runs, const char* name) {
    std::vector<double> all;
    for (const auto& [workload, sides] : runs) {
        const auto values = values_of(sides.casemate, name);
        all.insert(all.end(), values.begin(), values.end());
    }
    return spread(all);
}

json size_of(const std::filesystem::path& file) {
    const auto size = elf_size(file);
    return size ? json{{"text", size->text}, {"data", size->data}, {"bss", size->bss}} : json(nullptr);
}

json lines_entry(const session::Artefacts& built, const std::filesystem::path& source) {
    Files own = source_files(source / "dlaunch/slb");
    own.merge(source_files(source / "hypervisor"));
    Files compiled = compiled_into(built.build, "bin/slb.elf", source);
    compiled.merge(compiled_into(built.build, "bin/hypervisor.elf", source));
    const std::size_t lines = code_lines(own);
    return {{"slb_and_hypervisor", lines},
            {"compiled_in", compiled.empty() ? json(nullptr) : json(code_lines(compiled))},
            {"bar", lines_bar},
            {"met", lines <= lines_bar}};
}

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

std::string metric_table(const json& report) {
    std::vector<session::Row> rows{{"MEDIAN (MIN-MAX)", "UNIT", "NATIVE", "CASEMATE", "CASEMATE/NATIVE", "BAR"}};
    for (const json& metric : report["metrics"])
        rows.push_back({metric["title"], metric["unit"], with_spread(metric["native"]), with_spread(metric["casemate"]),
                        with_spread(metric["ratio"]), verdict(metric["bar"])});
    return session::aligned(rows);
}

std::string exit_table(const json& report) {
    std::vector<session::Row> rows{{"EXITS PER 1,000", "OF", "TOTAL", "A SECOND", "BY KIND"}};
    for (const json& entry : report["exits"]) {
        std::string kinds;
        for (const auto& [kind, count] : entry["by_kind"].items())
            if (count.get<double>() >= 0.05) kinds += kind + " " + number(count) + "  ";
        rows.push_back({entry["name"], entry["per_thousand"], with_spread(entry["total"]), with_spread(entry["per_second"]), kinds});
    }
    return session::aligned(rows);
}

std::string size_line(const char* name, const json& size) {
    if (size.is_null()) return std::string{"  "} + name + ": unknown\n";
    return std::string{"  "} + name + ": text " + size["text"].dump() + ", data " + size["data"].dump() + ", bss " +
           size["bss"].dump() + " bytes\n";
}

} // namespace

json make_report(const Runs& runs, const std::string& only, const Network& network, const session::Artefacts& built,
                 const std::filesystem::path& source) {
    json report{{"version", 1}, {"metrics", json::array()}, {"exits", json::array()}, {"idle_exits_per_second", json::object()}};
    for (const Metric& metric : metrics()) {
        const auto found = runs.find(metric.workload);
        const bool chosen = std::string{metric.name}.find(only) != std::string::npos && *metric.unit != '\0';
        if (found == runs.end() || !chosen) continue;
        report["metrics"].push_back(metric_entry(metric, found->second));
        if (*metric.work != '\0') report["exits"].push_back(exits_entry(metric, found->second));
    }
    for (const auto& [workload, sides] : runs) report["idle_exits_per_second"][vm_of(workload)] = idle_entry(sides);
    report["launch"] = {{"first_vm_seconds", launch_entry(runs, "launch_to_first_vm")},
                        {"first_grant_seconds", launch_entry(runs, "launch_to_first_grant")}};
    report["network"] = {{"kind", network.tap.empty() ? "user" : "tap"}, {"why_not_tap", network.why_not}};
    report["size"] = {{"slb", size_of(built.program("slb.elf"))}, {"hypervisor", size_of(built.hypervisor())}};
    report["lines"] = lines_entry(built, source);
    return report;
}

std::string tables(const json& report) {
    std::string text = metric_table(report) + "\n" + exit_table(report) + "\n";
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
