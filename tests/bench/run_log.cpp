// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/run_log.hpp"

#include <cstdlib>

namespace casemate::bench {
namespace {

double number(const session::ConsoleEvent& line, const char* key) { return std::strtod(line.get(key).c_str(), nullptr); }

} // namespace

void RunLog::take(const std::string& text, Clock::time_point when) {
    if (const auto line = session::parse_marked(text, "CM_BENCH ")) return take_measurement(*line, when);
    if (const auto line = session::parse_state(text)) return take_state(*line, when);
    if (text.find("CM_PROOF ") != std::string::npos && text.find("error=") != std::string::npos) failure_ = text;
}

void RunLog::take_measurement(const session::ConsoleEvent& line, Clock::time_point when) {
    if (line.name == "begin") {
        running_ = Timed{.metric = line.get("metric"), .begun = when, .ended = {}};
        return;
    }
    if (line.name != "end" || !running_ || running_->metric != line.get("metric")) return;
    running_->ended = when;
    running_->value = number(line, "value");
    running_->seconds = number(line, "seconds");
    running_->work = number(line, "work");
    running_->interrupts = number(line, "interrupts");
    measurements_.push_back(*running_);
    running_.reset();
}

void RunLog::take_state(const session::ConsoleEvent& line, Clock::time_point when) {
    const std::string step = line.get("step");
    if (step == "boot" && !booted_) {
        booted_ = when;
        boot_uptime_ = number(line, "uptime");
    }
    if (step == "up") brought_up_ = when;
    if (step == "link") linked_ = when;
    if (step == "bench_done") finished_ = true;
}

} // namespace casemate::bench
