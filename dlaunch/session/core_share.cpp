// SPDX-License-Identifier: Apache-2.0
// See core_share.hpp.
#include "dlaunch/session/core_share.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace casemate::session {

namespace {

constexpr int fields_before_utime = 11; // proc(5): after the name, state is field 3 and utime field 14

} // namespace

std::optional<double> processor_seconds(int process, int thread) {
    std::ifstream file{"/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/stat"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const std::size_t name_end = text.rfind(')'); // the name may hold anything
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields{text.substr(name_end + 1)};
    std::string skipped;
    for (int i = 0; i < fields_before_utime; ++i) fields >> skipped;
    double user = 0, system = 0;
    if (!(fields >> user >> system)) return std::nullopt;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void CoreShares::sample(Time now) {
    earlier_ = std::move(latest_);
    latest_ = {now, {}};
    for (const int thread : threads_) latest_.seconds.push_back(processor_seconds(process_, thread));
}

std::optional<double> CoreShares::of(std::size_t core) const {
    if (core >= latest_.seconds.size() || core >= earlier_.seconds.size()) return std::nullopt;
    const double passed = std::chrono::duration<double>(latest_.when - earlier_.when).count();
    if (!latest_.seconds[core] || !earlier_.seconds[core] || passed <= 0) return std::nullopt;
    return std::clamp((*latest_.seconds[core] - *earlier_.seconds[core]) / passed, 0.0, 1.0);
}

} // namespace casemate::session
