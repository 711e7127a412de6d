// SPDX-License-Identifier: Apache-2.0
// See report.hpp.
#include "tests/bench/attest/report.hpp"

#include "dlaunch/session/table.hpp"
#include "tests/bench/statistics.hpp"

namespace casemate::bench::attest {

using nlohmann::json;

namespace {

json bar_of(const Metric& metric, double median) {
    if (!metric.bar) return nullptr;
    return {{"value", metric.bar->text()}, {"met", metric.bar->met(median)}};
}

std::string number(const json& value) {
    char text[32];
    const double seen = value.get<double>();
    std::snprintf(text, sizeof text, "%.*f", seen >= 1000 ? 0 : seen >= 10 ? 1 : 2, seen);
    return text;
}

std::string verdict(const json& bar) {
    if (bar.is_null()) return "";
    return bar["value"].get<std::string>() + (bar["met"].get<bool>() ? " met" : " NOT MET");
}

} // namespace

json make_report(const Values& values, const std::string& only) {
    json report{{"version", 1}, {"metrics", json::array()}};
    for (const Metric& metric : metrics()) {
        const auto found = values.find(metric.name);
        if (found == values.end() || found->second.empty() || !std::string_view{metric.name}.starts_with(only)) continue;
        const Spread spread = spread_of(found->second);
        report["metrics"].push_back({{"name", metric.name},
                                     {"title", metric.title},
                                     {"unit", metric.unit},
                                     {"value", {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}, {"values", found->second}}},
                                     {"bar", bar_of(metric, spread.median)}});
    }
    return report;
}

std::string table_of(const json& report) {
    std::vector<session::Row> rows{{"METRIC", "WHAT", "UNIT", "MEDIAN (MIN-MAX)", "BAR"}};
    for (const json& metric : report["metrics"]) {
        const json& value = metric["value"];
        rows.push_back({metric["name"], metric["title"], metric["unit"],
                        number(value["median"]) + " (" + number(value["min"]) + "-" + number(value["max"]) + ")", verdict(metric["bar"])});
    }
    return session::aligned(rows);
}

} // namespace casemate::bench::attest
