// SPDX-License-Identifier: Apache-2.0
// A fleet at work against one service: honest platforms that enrol, attest, get grants and renew, and one platform for each
// misbehaviour; all at once, on one thread.
#pragma once

#include "tests/fleet/misbehaviour.hpp"

namespace casemate::fleet {

struct FleetPlan {
    unsigned honest = 50;
    unsigned with_rsa = 2;        // of them, with an RSA EK
    unsigned renewals = 3;        // of each
    std::string only_misbehaviour; // empty: all; "none": none of them
    std::string but_misbehaviour;  // not this one
};

struct Outcome {
    std::string who;
    std::string expected;
    std::string got;
    [[nodiscard]] bool good() const { return expected == got; }
};

/// In a fixed order: the honest, then the misbehaving in the order of their table.
[[nodiscard]] std::vector<Outcome> run_fleet(Stage& stage, const FleetPlan& plan);

} // namespace casemate::fleet
