// SPDX-License-Identifier: Apache-2.0
// See child_program.hpp.
#include "tests/fleet/child_program.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace casemate::fleet {

void become(const std::vector<std::string>& command, const std::filesystem::path& log, const std::vector<std::string>& environment) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    for (const std::string& each : environment) ::putenv(const_cast<char*>(each.c_str())); // outlives this process
    std::vector<char*> raw;
    for (const std::string& argument : command) raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    ::execvp(raw[0], raw.data());
    ::_exit(127);
}

} // namespace casemate::fleet
