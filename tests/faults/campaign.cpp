// SPDX-License-Identifier: Apache-2.0
// Implements campaign.hpp.
#include "tests/faults/campaign.hpp"

#include "dlaunch/model/state_dir.hpp"
#include "tests/faults/run.hpp"

namespace casemate::faults {

using model::fail;

namespace {

constexpr unsigned starts_in_vain = 3;
/// After these, physical memory is searched; after the others, at the end of the session.
bool touches_others(const std::string& kind) { return kind == "dma" || kind == "msi" || kind == "ring"; }

using Clock = std::chrono::steady_clock;

class Campaign {
public:
    Campaign(const CampaignOptions& options, State& state) : options_{options}, state_{state} {}

    Status<model::Error> run() {
        const auto scratch = TRY(model::StateDir::create());
        const Setting setting = TRY(make_setting(options_.built, scratch.path()));
        for (unsigned in_vain = 0; !done();) {
            auto run = Run::start(options_, setting, scratch.path(), state_.sessions);
            if (options_.interrupted()) break;
            if (run.ok()) {
                in_vain = 0;
                ++state_.sessions;
                session(*run.value());
            } else if (++in_vain == starts_in_vain) {
                return fail(run.error().text);
            }
        }
        if (unsaved_) return fail("cannot write " + options_.state.string());
        if (options_.interrupted()) return fail("interrupted; the same command with --state goes on");
        return Done{};
    }

private:
    [[nodiscard]] bool done() const { return state_.next >= options_.count || options_.interrupted() || unsaved_; }

    /// Ends early when the machine or the driver VM is gone.
    void session(Run& run) {
        bool usable = true;
        for (unsigned i = 0; usable && i < options_.per_session && !done(); ++i) usable = one_fault(run);
        if (usable && !options_.interrupted()) {
            note_check(run, run.check_evidence(), state_.evidence_checks);
            note_check(run, run.check_memory(), state_.memory_checks);
            keep();
        }
    }

    /// Whether the session can go on.
    bool one_fault(Run& run) {
        const Fault fault = fault_for(state_.seed, state_.next, state_.kinds);
        const Effect effect = run.inject(fault);
        const auto problems = run.new_problems();
        if (options_.interrupted() && problems.empty()) return false; // it comes again
        current_ = fault;
        ++state_.next;
        state_.count(fault, effect);
        state_.emulator_ends += effect == Effect::emulator ? 1 : 0;
        if (effect == Effect::lost) note(run, "the driver VM did not come back");
        for (const std::string& problem : problems) note(run, problem);
        const bool goes_on = run.ending().empty() && effect != Effect::lost && problems.empty();
        if (goes_on && touches_others(fault.kind)) note_check(run, run.check_memory(), state_.memory_checks);
        options_.on_fault(fault, effect, run.target());
        keep();
        return goes_on;
    }

    void note(const Run& run, const std::string& what) {
        state_.failures.push_back({current_.number, current_.kind, what, run.last_lines()});
    }
    void note_check(const Run& run, const std::optional<std::string>& problem, std::uint64_t& checks) {
        if (problem) note(run, *problem);
        else ++checks;
    }

    void keep() {
        const auto now = Clock::now();
        state_.seconds += std::chrono::duration<double>(now - counted_).count();
        counted_ = now;
        unsaved_ = !options_.state.empty() && !save(state_, options_.state);
    }

    const CampaignOptions& options_;
    State& state_;
    Fault current_;
    bool unsaved_ = false;
    Clock::time_point counted_ = Clock::now();
};

} // namespace

Status<model::Error> run_campaign(const CampaignOptions& options, State& state) { return Campaign{options, state}.run(); }

} // namespace casemate::faults
