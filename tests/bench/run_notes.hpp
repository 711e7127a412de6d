// SPDX-License-Identifier: Apache-2.0
// What is noted while a session of one workload runs: what the VM that measures says, when the others fell idle, how busy the host
// was, and the hypervisor's counters.
#pragma once

#include "tests/bench/exits.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/workloads.hpp"

namespace casemate::bench {

class RunNotes {
public:
    explicit RunNotes(const Workload& workload) : workload_{workload} {}

    /// A line of the platform's console.
    void take_line(const std::string& line, Clock::time_point when);
    void take_load(double processor_seconds, Clock::time_point when) { load_.push_back({when, processor_seconds}); }
    /// The agent's status report, which came at `when`; the same one may come again.
    void take_status(const nlohmann::json& status, Clock::time_point when);

    /// The VM that measures has ended more often than it should.
    [[nodiscard]] bool ended_too_often() const { return ends_ >= lives_of(workload_); }
    /// Its last life is measured, or there will be none.
    [[nodiscard]] bool finished() const { return ended_too_often() || (ends_ + 1 == lives_of(workload_) && log_.finished()); }
    /// Every VM that is to do nothing did so from then on.
    [[nodiscard]] bool all_idle(Clock::time_point then) const { return idle_ >= workload_.idle_vms && last_idle_ <= then; }
    /// Of the VM that measures, since it last started.
    [[nodiscard]] const RunLog& log() const { return log_; }
    [[nodiscard]] const std::vector<LoadSample>& load() const { return load_; }
    /// By VM.
    [[nodiscard]] const std::map<std::string, std::vector<ExitSample>>& exits() const { return exits_; }

private:
    const Workload& workload_;
    RunLog log_;
    unsigned ends_ = 0;
    unsigned idle_ = 0;
    Clock::time_point last_idle_{};
    Clock::time_point last_status_{};
    std::vector<LoadSample> load_;
    std::map<std::string, std::vector<ExitSample>> exits_;
};

} // namespace casemate::bench
