// SPDX-License-Identifier: Apache-2.0
// A program started by a test of the verifier's service.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace casemate::test {

/// A program that ends with its owner.
class Child {
public:
    explicit Child(std::vector<std::string> arguments, const std::string& output = "/dev/null") {
        std::vector<char*> raw;
        for (std::string& argument : arguments) raw.push_back(argument.data());
        raw.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int sink = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(sink, STDOUT_FILENO);
        ::dup2(sink, STDERR_FILENO);
        ::execvp(raw[0], raw.data());
        ::_exit(127);
    }
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    int wait() {
        int status = -1;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }
    void signal(int number) const { ::kill(pid_, number); }
    /// The status after this signal; SIGKILL gives it no chance.
    int end(int signal) {
        ::kill(pid_, signal);
        return wait();
    }

private:
    pid_t pid_ = -1;
};

} // namespace casemate::test
