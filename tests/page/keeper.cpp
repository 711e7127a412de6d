// SPDX-License-Identifier: Apache-2.0
// See keeper.hpp.
#include "tests/page/keeper.hpp"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace casemate::page {
namespace {

[[noreturn]] void become(const std::vector<std::string>& command, const std::filesystem::path& log, const std::vector<std::string>& environment) {
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
    if (program == 0) become(command, log, environment);
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
