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
    std::vector<std::pair<std::string, std::string>> environment = {}; // added to ours
    /// Descriptors that the child keeps under the same number as here; everything else is closed on exec.
    std::vector<int> inherited = {};
    /// Lines of stderr with this text are nobody's last words.
    std::string noise = {};
};

class Child {
public:
    /// `on_exit` may be empty; it is not called for an end that stop() brought about.
    static Outcome<std::unique_ptr<Child>> start(Reactor& reactor, ChildSpec spec, std::function<void()> on_exit);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Waits at most `limit` for its end; `on_exit` is then not called any more.
    [[nodiscard]] bool ends_within(Millis limit) { return reap(limit); }
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
    Child(Reactor& reactor, std::string name, std::string noise)
        : reactor_{reactor}, name_{std::move(name)}, noise_{std::move(noise)} {}
    Status<Error> spawn(const ChildSpec& spec, UniqueFd stderr_end);
    void read_stderr();
    bool reap(Millis limit);
    std::string last_words();

    Reactor& reactor_;
    std::string name_;
    std::string noise_;
    int pid_ = -1;
    UniqueFd pidfd_;
    UniqueFd stderr_;
    std::vector<std::uint8_t> stderr_tail_;
    std::optional<int> wait_status_;
    std::function<void()> on_exit_;
};

/// Runs a short tool to its end (at most `limit`); an error says what it printed on stderr.
Status<Error> run_tool(ChildSpec spec, Millis limit);

} // namespace casemate::model
