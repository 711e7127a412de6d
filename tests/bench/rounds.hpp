// SPDX-License-Identifier: Apache-2.0
// The bench's course: round after round, each workload once on each of its sides.
#pragma once

#include "tests/bench/report.hpp"

namespace casemate::bench {

struct Options {
    session::Artefacts built;
    unsigned rounds = 1;
    std::filesystem::path report;
    std::filesystem::path consoles; // empty: not kept
    std::string only;
    bool quiet = false;
    std::function<bool()> interrupted;
};

/// What came of it is in `runs`, also when it broke.
Status<model::Error> run_rounds(const Options& options, const Network& network, Runs& runs);

} // namespace casemate::bench
