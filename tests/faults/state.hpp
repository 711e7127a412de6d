// SPDX-License-Identifier: Apache-2.0
// What a campaign knows between two faults, and between two runs.
#pragma once

#include "tests/faults/fault.hpp"
#include "tests/faults/judge.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>

namespace casemate::faults {

struct Failure {
    std::uint64_t number = 0;
    std::string kind;
    std::string what;
    std::vector<std::string> console; // the last lines of the TCB and of the faulty VM
};

struct State {
    std::uint64_t seed = 1;
    std::vector<std::string> kinds = classes();
    std::uint64_t next = 0; // the first fault that is still to come
    std::map<std::string, std::map<std::string, std::uint64_t>> effects; // class, effect (name_of): how often
    std::vector<Failure> failures;
    std::uint64_t sessions = 0;
    std::uint64_t emulator_ends = 0;
    std::uint64_t evidence_checks = 0; // the newest evidence covered the whole ledger and was affirmed
    std::uint64_t memory_checks = 0;   // physical memory was searched
    double seconds = 0;                // of all runs together

    void count(const Fault& fault, Effect effect) { ++effects[fault.kind][name_of(effect)]; }
};

[[nodiscard]] nlohmann::json to_json(const State& state);
/// Nothing when it is not a state of this version.
[[nodiscard]] std::optional<State> state_from(const nlohmann::json& json);

/// Whole or not at all.
[[nodiscard]] bool save(const State& state, const std::filesystem::path& file);
[[nodiscard]] std::optional<State> load(const std::filesystem::path& file);

} // namespace casemate::faults
