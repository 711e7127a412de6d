// SPDX-License-Identifier: Apache-2.0
// Implements state.hpp.
#include "tests/faults/state.hpp"

#include "dlaunch/session/report.hpp"

#include <fstream>

namespace casemate::faults {

using nlohmann::json;

namespace {
constexpr int version = 1;
}

json to_json(const State& state) {
    json failures = json::array();
    for (const Failure& each : state.failures) failures.push_back({{"number", each.number}, {"class", each.kind}, {"what", each.what}, {"console", each.console}});
    return {{"version", version},
            {"seed", state.seed},
            {"classes", state.kinds},
            {"next", state.next},
            {"effects", state.effects},
            {"failures", failures},
            {"sessions", state.sessions},
            {"emulator_ends", state.emulator_ends},
            {"evidence_checks", state.evidence_checks},
            {"memory_checks", state.memory_checks},
            {"seconds", state.seconds}};
}

std::optional<State> state_from(const json& source) try {
    if (source.at("version") != version) return std::nullopt;
    State state;
    state.seed = source.at("seed");
    state.kinds = source.at("classes").get<std::vector<std::string>>();
    state.next = source.at("next");
    state.effects = source.at("effects").get<decltype(state.effects)>();
    for (const json& each : source.at("failures")) state.failures.push_back({each.at("number"), each.at("class"), each.at("what"), each.at("console")});
    state.sessions = source.at("sessions");
    state.emulator_ends = source.at("emulator_ends");
    state.evidence_checks = source.at("evidence_checks");
    state.memory_checks = source.at("memory_checks");
    state.seconds = source.at("seconds");
    if (state.kinds.empty()) return std::nullopt;
    return state;
} catch (const json::exception&) {
    return std::nullopt;
}

bool save(const State& state, const std::filesystem::path& file) { return session::write_report(to_json(state), file); }

std::optional<State> load(const std::filesystem::path& file) {
    std::ifstream in{file};
    const json source = json::parse(in, nullptr, false);
    return source.is_discarded() ? std::nullopt : state_from(source);
}

} // namespace casemate::faults
