// SPDX-License-Identifier: Apache-2.0
// What a machine under measurement says on its console, native or driver VM alike.
// UNTRUSTED: a line that does not parse is no measurement.
#pragma once

#include "dlaunch/session/observation.hpp"

#include <optional>

namespace casemate::bench {

using session::Clock;

/// One measurement of the probe, with when the host saw it begin and end.
struct Timed {
    std::string metric;
    Clock::time_point begun;
    Clock::time_point ended;
    double value = 0;
    double seconds = 0;
    double work = 0;
    double interrupts = 0;
};

class RunLog {
public:
    /// A line of the machine's own console.
    void take(const std::string& text, Clock::time_point when);

    [[nodiscard]] bool finished() const { return finished_ || !failure_.empty(); }
    /// Why the measurements broke off; empty if they did not.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    [[nodiscard]] const std::vector<Timed>& measurements() const { return measurements_; }
    /// When the first process said that it runs.
    [[nodiscard]] std::optional<Clock::time_point> booted() const { return booted_; }
    /// What the kernel's clock showed then.
    [[nodiscard]] double boot_uptime() const { return boot_uptime_; }
    /// From the driver VM's request to bring its NIC up until its link was; nothing if it did not say.
    [[nodiscard]] std::optional<Clock::duration> link_training() const {
        return brought_up_ && linked_ ? std::optional{*linked_ - *brought_up_} : std::nullopt;
    }

private:
    void take_measurement(const session::ConsoleEvent& line, Clock::time_point when);
    void take_state(const session::ConsoleEvent& line, Clock::time_point when);

    std::vector<Timed> measurements_;
    std::optional<Timed> running_;
    std::optional<Clock::time_point> booted_;
    std::optional<Clock::time_point> brought_up_, linked_;
    double boot_uptime_ = 0;
    bool finished_ = false;
    std::string failure_;
};

} // namespace casemate::bench
