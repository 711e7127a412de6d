// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/restart.hpp"

namespace casemate::bench {
namespace {

double milliseconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

} // namespace

model::Outcome<RestartTimes> restart_times(const session::Observation& seen, const std::string& vm, const std::string& way,
                                           const RunLog& second_life) {
    const auto* stopped = seen.find("vm_stopped", {{"vm", vm}});
    const auto* started = seen.find("vm_started", {{"vm", vm}, {"start", "2"}});
    if (stopped == nullptr || started == nullptr || second_life.measurements().empty())
        return model::fail(vm + " did not end and come back");
    if (started->event.get("warm") != (way == "warm" ? "1" : "0")) return model::fail(vm + " did not restart " + way);
    const Clock::time_point first_byte = second_life.measurements().front().ended;
    RestartTimes times{.away_ms = milliseconds_between(stopped->when, started->when),
                       .first_byte_ms = milliseconds_between(stopped->when, first_byte),
                       .without_link_ms = {}};
    if (const auto training = second_life.link_training()) times.without_link_ms = milliseconds_between(stopped->when, first_byte - *training);
    return times;
}

} // namespace casemate::bench
