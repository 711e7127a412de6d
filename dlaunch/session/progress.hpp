// SPDX-License-Identifier: Apache-2.0
// One line a step for a person who waits: "[3/9] agent enrols ... 2.1 s". Nothing at all when quiet.
// Also keeps each step's duration for the report.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace casemate::session {

class Progress {
public:
    using Clock = std::chrono::steady_clock;

    Progress(unsigned steps, bool quiet);

    /// Ends the running step, if any, and starts the next one.
    void begin(std::string what);
    void end();
    /// Redraws the elapsed time of the running step; call it about once a second. Only on a terminal.
    void refresh() const;

    /// Name and seconds of each finished step.
    [[nodiscard]] const std::vector<std::pair<std::string, double>>& phases() const { return phases_; }

private:
    [[nodiscard]] double elapsed() const;
    void draw(const char* ending) const;

    unsigned steps_;
    bool quiet_;
    bool terminal_;
    std::string current_;
    Clock::time_point started_{};
    std::vector<std::pair<std::string, double>> phases_;
};

} // namespace casemate::session
