// SPDX-License-Identifier: Apache-2.0
// When the agent does what: a job that is due at a time, and comes later and later while it fails.
// Who calls it: main.cpp's loop and the tests. Pure: the caller says what time it is.
#pragma once

#include <algorithm>
#include <chrono>

namespace casemate::agent {

class Job {
public:
    using Clock = std::chrono::steady_clock;
    using Millis = std::chrono::milliseconds;
    static constexpr Millis first_retry{250};

    /// `longest_retry` bounds the back-off.
    explicit Job(Millis longest_retry) : longest_retry_{longest_retry} {}

    [[nodiscard]] bool due(Clock::time_point now) const { return now >= at_; }
    void run_now() { at_ = {}; }
    void succeeded(Clock::time_point now, Millis again_in) {
        retry_ = first_retry;
        at_ = now + again_in;
    }
    void failed(Clock::time_point now) {
        at_ = now + retry_;
        retry_ = std::min(2 * retry_, longest_retry_);
    }
    [[nodiscard]] Clock::time_point at() const { return at_; }

private:
    Millis longest_retry_;
    Millis retry_ = first_retry;
    Clock::time_point at_{};
};

} // namespace casemate::agent
