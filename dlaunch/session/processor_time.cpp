// SPDX-License-Identifier: Apache-2.0
// See processor_time.hpp.
#include "dlaunch/session/processor_time.hpp"

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

} // namespace casemate::session
