// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/state_dir.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>

namespace casemate::model {
namespace {

const char* const janitor_script = "trap '' INT TERM HUP QUIT; cat >/dev/null; rm -rf -- \"$1\"";

/// Starts the janitor with the reading end of the life line as its standard input.
int start_janitor(const std::string& directory, int life_line_end) {
    const int pid = ::fork();
    if (pid != 0) return pid;
    ::setsid();
    ::dup2(life_line_end, 0);
    ::execl("/bin/sh", "sh", "-c", janitor_script, "casemate-janitor", directory.c_str(), nullptr);
    ::_exit(127);
}

} // namespace

Outcome<StateDir> StateDir::create() {
    const char* temporary = std::getenv("TMPDIR");
    std::string pattern = std::string{temporary && *temporary ? temporary : "/tmp"} + "/casemate-XXXXXX";
    int life[2];
    if (::pipe2(life, O_CLOEXEC) != 0) return fail_errno("no pipe");
    const UniqueFd janitor_end{life[0]};
    UniqueFd our_end{life[1]};
    if (!::mkdtemp(pattern.data())) return fail_errno("cannot make a private directory " + pattern);
    const int janitor = start_janitor(pattern, janitor_end.get());
    if (janitor < 0) return fail_errno("cannot start the janitor");
    return StateDir{pattern, std::move(our_end), janitor};
}

StateDir::~StateDir() {
    if (!life_line_.valid()) return;
    life_line_.reset();
    ::waitpid(janitor_, nullptr, 0); // ends in the time of one rm -rf
}

} // namespace casemate::model
