// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.hpp"

#include "tests/bench/code_lines.hpp"
#include "tests/bench/elf_size.hpp"
#include "tests/bench/expected.hpp"
#include "tests/bench/statistics.hpp"

namespace casemate::bench {

using nlohmann::json;

namespace {

constexpr std::size_t lines_bar = 11000;

using Side = std::vector<RunResult>;

Column column(const Side& runs, const std::string& key) {
    Column values;
    for (const RunResult& run : runs) {
        const auto found = run.values.find(key);
        values.push_back(found == run.values.end() ? std::nullopt : std::optional{found->second});
    }
    return values;
}

json spread(const std::vector<double>& values) {
    if (values.empty()) return nullptr;
    const Spread found = spread_of(values);
    return {{"median", found.median}, {"min", found.least}, {"max", found.most}, {"values", values}};
}

json spread(const Column& values) { return spread(present(values)); }

json bar_of(const Metric& metric, const json& ratio) {
    const auto& bar = metric.bar_on(model::emulator());
    if (!bar) return nullptr;
    return {{"ratio", bar->text()}, {"met", ratio.is_null() ? json(nullptr) : json(bar->met(ratio["median"].get<double>()))}};
}

const Timed* measurement(const RunResult& run, const std::string& metric) {
    for (const Timed& timed : run.measurements)
        if (timed.metric == metric) return &timed;
    return nullptr;
}

/// The runs of the driver VM itself and of the native kernel, which a metric is held against; none for what has no native side.
const SideRuns& compared_runs(const Runs& runs, const Workload& workload, const Metric& metric) {
    static const SideRuns none;
    const Metric* base = compared_with(metric);
    for (const Workload& candidate : workloads()) {
        const bool same = base != nullptr ? candidate.family == base->family : &candidate == &workload;
        if (const auto found = runs.find(candidate.name); same && found != runs.end()) return found->second;
    }
    return none;
}

/// The VMs whose exits a measurement costs.
std::vector<std::string> vms_at_work(const Workload& workload) {
    if (workload.client) return {vm_of(workload), workload.driver};
    return {workload.driver};
}

/// Of one VM during one measurement; nullptr when the status reports did not enclose it.
const ExitsByKind* exits_of(const RunResult& run, const std::string& vm, const std::string& key) {
    const auto own = run.exits.find(vm);
    if (own == run.exits.end()) return nullptr;
    const auto found = own->second.during.find(key);
    return found == own->second.during.end() || found->second.empty() ? nullptr : &found->second;
}

std::optional<double> expected_in(const Workload& workload, const Metric& metric, double native, const RunResult& run) {
    const Timed* timed = measurement(run, metric.key);
    double exits = 0;
    for (const std::string& vm : vms_at_work(workload)) {
        const ExitsByKind* own = exits_of(run, vm, metric.key);
        if (own == nullptr) return std::nullopt;
        exits += total(*own);
    }
    return timed == nullptr ? std::nullopt : expected_ratio(metric, native, *timed, exits);
}

Column expected_ratios(const Workload& workload, const Metric& metric, const Column& native, const Side& runs) {
    Column ratios;
    for (std::size_t i = 0; i < std::min(native.size(), runs.size()); ++i)
        ratios.push_back(native[i] ? expected_in(workload, metric, *native[i], runs[i]) : std::nullopt);
    return ratios;
}

json metric_entry(const Workload& workload, const Metric& metric, const Runs& runs) {
    const SideRuns& own = runs.at(workload.name);
    const SideRuns& other = compared_runs(runs, workload, metric);
    const Column native = column(other.native, metric.key), casemate = column(own.casemate, metric.key);
    const Column driver = workload.client ? column(other.casemate, metric.key) : Column{};
    const json ratio = spread(paired_ratios(casemate, native));
    return {{"workload", workload.name},
            {"name", metric.name},
            {"title", metric.title},
            {"unit", metric.unit},
            {"native", spread(native)},
            {"driver_vm", spread(driver)},
            {"casemate", spread(casemate)},
            {"ratio", ratio},
            {"ratio_to_driver_vm", spread(paired_ratios(casemate, driver))},
            {"expected_ratio", spread(expected_ratios(workload, metric, native, own.casemate))},
            {"bar", bar_of(metric, ratio)}};
}

json interrupts_per_thousand(const Side& runs, const std::string& key) {
    std::vector<double> values;
    for (const RunResult& run : runs)
        if (const Timed* timed = measurement(run, key); timed != nullptr && timed->work > 0)
            values.push_back(1000 * timed->interrupts / timed->work);
    return values.empty() ? json(nullptr) : json(spread_of(values).median);
}

json medians(const std::map<std::string, std::vector<double>>& by_kind) {
    json kinds = json::object();
    for (const auto& [kind, values] : by_kind) kinds[kind] = spread_of(values).median;
    return kinds;
}

/// The median of each kind; null when no run's status reports enclosed the measurement.
json exits_entry(const Workload& workload, const Metric& metric, const std::string& vm, const SideRuns& runs) {
    std::map<std::string, std::vector<double>> by_kind;
    std::vector<double> totals, per_second;
    for (const RunResult& run : runs.casemate) {
        const Timed* timed = measurement(run, metric.key);
        const ExitsByKind* exits = exits_of(run, vm, metric.key);
        if (timed == nullptr || timed->work == 0 || exits == nullptr) continue;
        for (const auto& [kind, count] : *exits) by_kind[kind].push_back(1000 * count / timed->work);
        totals.push_back(1000 * total(*exits) / timed->work);
        per_second.push_back(total(*exits) / timed->seconds);
    }
    const bool measuring = vm == vm_of(workload);
    return {{"workload", workload.name},
            {"name", metric.name},
            {"vm", vm},
            {"per_thousand", metric.work},
            {"total", spread(totals)},
            {"by_kind", medians(by_kind)},
            {"per_second", spread(per_second)},
            {"interrupts_native", measuring ? interrupts_per_thousand(runs.native, metric.key) : json(nullptr)},
            {"interrupts_casemate", measuring ? interrupts_per_thousand(runs.casemate, metric.key) : json(nullptr)}};
}

/// By VM, the agent too.
json idle_entry(const SideRuns& runs) {
    std::map<std::string, std::map<std::string, std::vector<double>>> by_vm;
    for (const RunResult& run : runs.casemate)
        for (const auto& [vm, exits] : run.exits)
            for (const auto& [kind, rate] : exits.idle) by_vm[vm][kind].push_back(rate);
    json vms = json::object();
    for (const auto& [vm, by_kind] : by_vm) vms[vm] = medians(by_kind);
    return vms;
}

/// What each further VM adds to a metric of the family `vms`, a slope a round.
json curve_entry(const Metric& metric, const Runs& runs) {
    std::map<std::size_t, std::vector<std::pair<double, double>>> rounds;
    for (const Workload& workload : workloads()) {
        const auto found = runs.find(workload.name);
        if (workload.family != Family::vms || found == runs.end()) continue;
        const Column values = column(found->second.casemate, metric.key);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i]) rounds[i].emplace_back(vms_of(workload), *values[i]);
    }
    Column slopes;
    for (const auto& [round, points] : rounds) slopes.push_back(slope(points));
    return {{"name", metric.name}, {"title", metric.title}, {"unit", metric.unit}, {"each_vm", spread(slopes)}};
}

json launch_entry(const Runs& runs, const char* name) {
    Column all;
    for (const auto& [workload, sides] : runs) {
        const Column values = column(sides.casemate, name);
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

} // namespace

json make_report(const Runs& runs, const std::string& only, const Network& network, const session::Artefacts& built,
                 const std::filesystem::path& source) {
    json report{{"version", 2}, {"metrics", json::array()}, {"exits", json::array()}, {"idle_exits_per_second", json::object()},
                {"curve", json::array()}};
    const Names names = chosen(only);
    for (const Workload& workload : workloads()) {
        const auto found = runs.find(workload.name);
        if (found == runs.end()) continue;
        report["idle_exits_per_second"][workload.name] = idle_entry(found->second);
        for (const Metric& metric : metrics()) {
            if (metric.family != workload.family || !names.contains(metric.name)) continue;
            report["metrics"].push_back(metric_entry(workload, metric, runs));
            if (*metric.work == '\0') continue;
            for (const std::string& vm : vms_at_work(workload)) report["exits"].push_back(exits_entry(workload, metric, vm, found->second));
        }
    }
    for (const Metric& metric : metrics())
        if (metric.family == Family::vms && names.contains(metric.name)) report["curve"].push_back(curve_entry(metric, runs));
    report["expected"] = {{"cycles_an_exit", cycles_an_exit}, {"clock_hertz", clock_hertz}};
    report["launch"] = {{"first_vm_seconds", launch_entry(runs, "launch_to_first_vm")},
                        {"first_grant_seconds", launch_entry(runs, "launch_to_first_grant")}};
    report["network"] = {{"kind", network.tap.empty() ? "user" : "tap"}, {"why_not_tap", network.why_not}};
    report["size"] = {{"slb", size_of(built.program("slb.elf"))}, {"hypervisor", size_of(built.hypervisor())}};
    report["lines"] = lines_entry(built, source);
    return report;
}

} // namespace casemate::bench
