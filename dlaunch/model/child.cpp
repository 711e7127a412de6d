// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/child.hpp"

#include "dlaunch/model/byte_io.hpp"

#include <csignal>
#include <fcntl.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace casemate::model {
namespace {

constexpr std::size_t tail_limit = 2000;

std::vector<char*> c_strings(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (auto& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> merged_environment(const ChildSpec& spec) {
    std::vector<std::string> merged;
    for (const auto& [key, value] : spec.environment) merged.push_back(key + "=" + value);
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view text{*entry};
        const auto replaced = [&](const auto& pair) { return text.starts_with(pair.first + "="); };
        if (std::none_of(spec.environment.begin(), spec.environment.end(), replaced)) merged.emplace_back(text);
    }
    return merged;
}

/// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* command, char* const* environment, const std::vector<int>& inherited, int null,
                         int stderr_fd, int parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(stderr_fd, 2);
    for (const int fd : inherited) ::fcntl(fd, F_SETFD, 0);
    if (::getppid() == parent) ::execvpe(command[0], command, environment);
    ::dprintf(2, "cannot start %s: %s", command[0], std::strerror(errno));
    ::_exit(127);
}

} // namespace

Outcome<std::unique_ptr<Child>> Child::start(Reactor& reactor, ChildSpec spec, std::function<void()> on_exit) {
    std::unique_ptr<Child> child{new Child{reactor, spec.name, spec.noise}};
    child->on_exit_ = std::move(on_exit);
    Channel words = TRY(make_pipe_from_child());
    child->stderr_ = std::move(words.ours);
    TRY(child->spawn(spec, std::move(words.theirs)));
    Child* self = child.get();
    TRY(reactor.watch(self->stderr_.get(), [self] { self->read_stderr(); }));
    TRY(reactor.watch(self->pidfd_.get(), [self] {
        if (self->reap(Millis{0}) && self->on_exit_) self->on_exit_();
    }));
    return child;
}

Status<Error> Child::spawn(const ChildSpec& spec, UniqueFd stderr_end) {
    auto command = spec.command;
    auto environment = merged_environment(spec);
    const auto command_pointers = c_strings(command);
    const auto environment_pointers = c_strings(environment);
    const UniqueFd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    const int parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) return fail_errno("cannot start " + name_);
    if (pid_ == 0)
        become(command_pointers.data(), environment_pointers.data(), spec.inherited, null.get(), stderr_end.get(),
               parent);
    pidfd_ = UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
    if (!pidfd_.valid()) return fail_errno("cannot watch " + name_);
    return Done{};
}

Child::~Child() {
    stop(Millis{0});
    reactor_.forget(stderr_.get());
}

void Child::read_stderr() {
    if (read_available(stderr_.get(), stderr_tail_) == ReadOutcome::end) reactor_.forget(stderr_.get());
    if (stderr_tail_.size() > tail_limit)
        stderr_tail_.erase(stderr_tail_.begin(), stderr_tail_.end() - tail_limit);
}

bool Child::reap(Millis limit) {
    if (!running()) return true;
    if (!pidfd_.valid() || !wait_readable(pidfd_.get(), limit)) return false;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    wait_status_ = status;
    reactor_.forget(pidfd_.get());
    return true;
}

void Child::stop(Millis patience) {
    if (pid_ <= 0 || !running()) return;
    ::kill(pid_, SIGTERM);
    if (!reap(patience)) {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
        while (running() && !reap(Millis{1000})) {} // SIGKILL cannot be refused
    } else {
        ::kill(-pid_, SIGKILL); // what it may have left in its group
    }
}

int Child::exit_status() const {
    return wait_status_ && WIFEXITED(*wait_status_) ? WEXITSTATUS(*wait_status_) : -1;
}

/// What it said last, without the noise, on one line.
std::string Child::last_words() {
    if (stderr_.valid() && wait_readable(stderr_.get(), Millis{0})) read_stderr();
    std::istringstream tail{std::string{stderr_tail_.begin(), stderr_tail_.end()}};
    std::string words;
    for (std::string line; std::getline(tail, line);) {
        if (line.empty() || (!noise_.empty() && line.find(noise_) != std::string::npos)) continue;
        words += (words.empty() ? "" : "; ") + line;
    }
    return words;
}

std::string Child::epitaph() {
    std::string how = "is still running";
    if (wait_status_ && WIFEXITED(*wait_status_))
        how = "exited with status " + std::to_string(WEXITSTATUS(*wait_status_));
    else if (wait_status_)
        how = "was killed by signal " + std::to_string(WTERMSIG(*wait_status_));
    const std::string words = last_words();
    return name_ + " " + how + (words.empty() ? ", without a word" : ", its last words: " + words);
}

Status<Error> run_tool(ChildSpec spec, Millis limit) {
    const auto reactor = TRY(Reactor::create());
    const auto deadline = std::chrono::steady_clock::now() + limit;
    const auto child = TRY(Child::start(*reactor, std::move(spec), [] {}));
    while (child->running() && std::chrono::steady_clock::now() < deadline) reactor->step(Millis{200});
    if (child->running()) return fail(child->name() + " did not finish in time");
    if (child->exit_status() != 0) return fail(child->epitaph());
    return Done{};
}

} // namespace casemate::model
