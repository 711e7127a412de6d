// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/run_notes.hpp"

namespace casemate::bench {
namespace {

/// A client that was told to do nothing is ready at once (drivervms/client/init).
bool says_done(const std::string& text) {
    const auto state = session::parse_marked(text, "CM_STATE ");
    return state && state->name == "client" && state->get("step") == "done";
}

} // namespace

void RunNotes::take_line(const std::string& line, Clock::time_point when) {
    const std::string measuring = vm_of(workload_);
    if (const auto event = session::parse_event(line); event && event->name == "vm_stopped" && event->get("vm") == measuring) {
        ++ends_;
        log_ = {};
    }
    const auto own = session::parse_vm_line(line);
    if (!own) return;
    if (own->vm == measuring) return log_.take(own->text, when);
    if (!says_done(own->text)) return;
    ++idle_;
    last_idle_ = when;
}

void RunNotes::take_status(const nlohmann::json& status, Clock::time_point when) {
    if (when == last_status_) return;
    last_status_ = when;
    for (auto& [vm, sample] : samples_of(status, when)) exits_[vm].push_back(std::move(sample));
}

} // namespace casemate::bench
