// SPDX-License-Identifier: Apache-2.0
// All rounds together: the JSON of docs/interfaces/bench.md, and the tables for a person made from it.
#pragma once

#include "tests/bench/run.hpp"

namespace casemate::bench {

/// The runs of one side, a round each.
struct SideRuns {
    std::vector<RunResult> native;
    std::vector<RunResult> casemate;
};

using Runs = std::map<std::string, SideRuns>; // by workload

/// `only`: as in chosen(). `source`: the source tree, for the lines of code.
[[nodiscard]] nlohmann::json make_report(const Runs& runs, const std::string& only, const Network& network,
                                         const session::Artefacts& built, const std::filesystem::path& source);
[[nodiscard]] std::string tables(const nlohmann::json& report);

} // namespace casemate::bench
