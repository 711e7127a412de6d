// SPDX-License-Identifier: Apache-2.0
// One child process of a platform: started with chosen descriptors, watched through a pidfd, killed with its
// process group. Its last lines of stderr are kept for the report. The kernel kills it when the thread that
// started it ends (PR_SET_PDEATHSIG), so the thread that starts a platform must outlive it.
#pragma once

#include "dlaunch/model/reactor.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace casemate::model {

struct ChildSpec {
    std::string name; // for messages
    std::vector<std::string> command;
    std::vector<std::pair<std::string, std::string>> environment; // added to ours
    /// Descriptors that the child keeps under the same number as here; everything else is closed on exec.
    std::vector<int> inherited;
};

class Child {
public:
    static Outcome<std::unique_ptr<Child>> start(Reactor& reactor, ChildSpec spec, std::function<void()> on_exit);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    [[nodiscard]] bool running() const { return !wait_status_.has_value(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] int pid() const { return pid_; }
    /// After its end: "exited with status 1" or "was killed by signal 9", with its last words.
    [[nodiscard]] std::string epitaph();
    /// -1 when it did not exit by itself.
    [[nodiscard]] int exit_status() const;
    /// SIGTERM, then SIGKILL to its process group after `patience`; returns when it is reaped.
    void stop(Millis patience);

private:
    Child(Reactor& reactor, std::string name) : reactor_{reactor}, name_{std::move(name)} {}
    Status<Error> spawn(const ChildSpec& spec, UniqueFd stderr_end);
    void read_stderr();
    bool reap(Millis limit);

    Reactor& reactor_;
    std::string name_;
    int pid_ = -1;
    UniqueFd pidfd_;
    UniqueFd stderr_;
    std::vector<std::uint8_t> last_words_;
    std::optional<int> wait_status_;
    std::function<void()> on_exit_;
};

/// Runs a short tool to its end (at most `limit`); an error says what it printed on stderr.
Status<Error> run_tool(ChildSpec spec, Millis limit);

} // namespace casemate::model
