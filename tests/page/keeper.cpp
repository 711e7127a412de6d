// SPDX-License-Identifier: Apache-2.0
// See keeper.hpp.
#include "tests/page/keeper.hpp"

#include "tests/fleet/child_program.hpp"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace casemate::page {
namespace {

/// Children die, theirs become ours, and so on, until there are none.
void end_family() {
    const std::string list = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
    do {
        std::ifstream children{list};
        for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
    } while (::waitpid(-1, nullptr, 0) > 0);
}

/// Until the program has ended or the owner says so, or is no more.
[[noreturn]] void keep(const std::vector<std::string>& command, const std::filesystem::path& log, const std::vector<std::string>& environment) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&signals, each);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const pid_t program = ::fork();
    if (program == 0) fleet::become(command, log, environment);
    for (int signal = 0; sigwait(&signals, &signal) == 0 && signal == SIGCHLD;) {
        pid_t ended = 0;
        bool over = false;
        while ((ended = ::waitpid(-1, nullptr, WNOHANG)) > 0) over = over || ended == program;
        if (over) break;
    }
    end_family();
    ::_exit(0);
}

} // namespace

Keeper::Keeper(const std::vector<std::string>& command, const std::filesystem::path& log, const std::vector<std::string>& environment) {
    pid_ = ::fork();
    if (pid_ == 0) keep(command, log, environment);
}

Keeper::~Keeper() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

} // namespace casemate::page
