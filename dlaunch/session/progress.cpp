// SPDX-License-Identifier: Apache-2.0
// See progress.hpp.
#include "dlaunch/session/progress.hpp"

#include <cstdio>
#include <unistd.h>

namespace casemate::session {

Progress::Progress(unsigned steps, bool quiet)
    : steps_{steps}, quiet_{quiet}, terminal_{isatty(STDOUT_FILENO) == 1} {}

void Progress::begin(std::string what) {
    end();
    current_ = std::move(what);
    started_ = Clock::now();
    if (terminal_) draw("");
}

void Progress::end() {
    if (current_.empty()) return;
    draw("\n");
    phases_.emplace_back(current_, elapsed());
    current_.clear();
}

void Progress::refresh() const {
    if (terminal_ && !current_.empty()) draw("");
}

double Progress::elapsed() const {
    return std::chrono::duration<double>(Clock::now() - started_).count();
}

void Progress::draw(const char* ending) const {
    if (quiet_) return;
    std::printf("%s[%zu/%u] %-58s %6.1f s%s", terminal_ ? "\r\033[K" : "", phases_.size() + 1, steps_,
                current_.c_str(), elapsed(), ending);
    std::fflush(stdout);
}

} // namespace casemate::session
