// SPDX-License-Identifier: Apache-2.0
// Runs the faults of a campaign, session after session, until all are done. A fault that breaks something is a failure in the state, and
// the campaign goes on with a new session; an error is only what keeps it from going on.
#pragma once

#include "dlaunch/session/session.hpp"
#include "tests/faults/state.hpp"

namespace casemate::faults {

struct CampaignOptions {
    session::Artefacts built;
    std::uint64_t count = 0;     // faults in all, those of earlier runs included
    unsigned per_session = 40;   // a new launch after so many: the log of a launch is finite (docs/adr/0015)
    std::filesystem::path state; // written after each fault; empty: nowhere
    std::filesystem::path consoles; // one console a session; empty: none
    std::function<bool()> interrupted = [] { return false; };
    std::function<void()> on_idle = [] {};
    /// After each fault: what it was, in the module's words.
    std::function<void(const Fault&, Effect, const std::string& target)> on_fault = [](const auto&...) {};
};

/// Goes on from `state` and leaves there what was found.
Status<model::Error> run_campaign(const CampaignOptions& options, State& state);

} // namespace casemate::faults
