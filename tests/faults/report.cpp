// SPDX-License-Identifier: Apache-2.0
// Implements report.hpp.
#include "tests/faults/report.hpp"

#include "dlaunch/session/table.hpp"

#include <numeric>

namespace casemate::faults {

using nlohmann::json;

namespace {

std::uint64_t times(const State& state, const std::string& kind, Effect effect) {
    const auto row = state.effects.find(kind);
    if (row == state.effects.end()) return 0;
    const auto cell = row->second.find(name_of(effect));
    return cell == row->second.end() ? 0 : cell->second;
}

std::uint64_t total(const State& state, Effect effect) {
    return std::accumulate(state.kinds.begin(), state.kinds.end(), std::uint64_t{0},
                           [&](std::uint64_t sum, const std::string& kind) { return sum + times(state, kind, effect); });
}

std::uint64_t total(const State& state, const std::string& kind) {
    return std::accumulate(effects().begin(), effects().end(), std::uint64_t{0},
                           [&](std::uint64_t sum, Effect effect) { return sum + times(state, kind, effect); });
}

session::Row row_of(const State& state, const std::string& kind, const std::vector<Effect>& columns) {
    session::Row row{kind, std::to_string(total(state, kind))};
    for (const Effect effect : columns) row.push_back(std::to_string(times(state, kind, effect)));
    return row;
}

} // namespace

bool passed(const State& state, std::uint64_t count) { return state.next >= count && state.failures.empty(); }

json make_report(const State& state, std::uint64_t count) {
    json report = to_json(state);
    report["count"] = count;
    report["result"] = passed(state, count) ? "passed" : state.failures.empty() ? "incomplete" : "failed";
    return report;
}

std::string table(const State& state, std::uint64_t count) {
    std::vector<Effect> columns;
    for (const Effect effect : effects())
        if (total(state, effect) > 0) columns.push_back(effect);
    session::Row heading{"CLASS", "FAULTS"};
    for (const Effect effect : columns) heading.emplace_back(name_of(effect));
    std::vector<session::Row> rows{heading};
    for (const std::string& kind : state.kinds) rows.push_back(row_of(state, kind, columns));
    std::string text = session::aligned(rows) + "\n  " + std::to_string(state.next) + " of " + std::to_string(count) + " faults (seed " +
                       std::to_string(state.seed) + ") in " + std::to_string(state.sessions) + " launches and " +
                       std::to_string(static_cast<std::uint64_t>(state.seconds)) + " s; evidence covered the ledger " +
                       std::to_string(state.evidence_checks) + " times, physical memory was searched " + std::to_string(state.memory_checks) +
                       " times\n  failures: " + std::to_string(state.failures.size()) + "\n";
    for (const Failure& each : state.failures) text += "  fault " + std::to_string(each.number) + " (" + each.kind + "): " + each.what + "\n";
    return text;
}

} // namespace casemate::faults
