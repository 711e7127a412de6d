// SPDX-License-Identifier: Apache-2.0
// Runs the scenarios, each in a process of its own (a crash ends one scenario, not the run), some at a time.
// Prints `[test] ...` lines and, last, `N passed, N failed`.
#include "tests/platform/scenario.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace casemate::platform_test {

bool Context::expect(bool held, const std::string& sentence) {
    ++stated_;
    broken_ += held ? 0 : 1;
    std::printf("%s: %s\n", held ? "  held" : "BROKEN", sentence.c_str());
    std::fflush(stdout);
    return held;
}

std::vector<Scenario>& scenarios() {
    static std::vector<Scenario> all;
    return all;
}

namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

struct Options {
    fs::path build;
    fs::path logs;
    unsigned jobs = 1;
    std::string only;
};

struct Running {
    std::string name;
    Clock::time_point started;
};

class Runner {
public:
    explicit Runner(Options options) : options_{std::move(options)} {}

    int run() {
        for (const Scenario& scenario : scenarios()) {
            if (scenario.name.find(options_.only) == std::string::npos) continue;
            while (running_.size() >= options_.jobs) reap_one();
            start(scenario);
        }
        while (!running_.empty()) reap_one();
        std::printf("%u passed, %u failed\n", passed_, failed_);
        return failed_ == 0 && passed_ > 0 ? 0 : 1;
    }

private:
    void start(const Scenario& scenario) {
        std::fflush(stdout);
        const pid_t child = fork();
        if (child < 0) {
            std::perror("fork");
            ++failed_;
        } else if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            _exit(run_here(scenario));
        } else {
            running_.emplace(child, Running{scenario.name, Clock::now()});
        }
    }

    int run_here(const Scenario& scenario) {
        const fs::path log = options_.logs / (scenario.name + ".log");
        const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0) return 1;
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        Context context{options_.build, options_.logs / (scenario.name + ".console")};
        scenario.run(context);
        std::fflush(stdout);
        return context.passed() ? 0 : 1;
    }

    void reap_one() {
        int status = 0;
        const pid_t child = waitpid(-1, &status, 0);
        const auto found = running_.find(child);
        if (found == running_.end()) return;
        const bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        (good ? passed_ : failed_) += 1;
        const double seconds = std::chrono::duration<double>(Clock::now() - found->second.started).count();
        std::printf("[test] %s  %-60s (%.0f s)\n", good ? "pass" : "FAIL", found->second.name.c_str(), seconds);
        if (!good) show_broken(found->second.name);
        std::fflush(stdout);
        running_.erase(found);
    }

    void show_broken(const std::string& name) const {
        std::ifstream log{options_.logs / (name + ".log")};
        for (std::string line; std::getline(log, line);) {
            if (line.starts_with("BROKEN")) std::printf("[test]       %s\n", line.c_str());
        }
    }

    Options options_;
    std::map<pid_t, Running> running_;
    unsigned passed_ = 0;
    unsigned failed_ = 0;
};

} // namespace
} // namespace casemate::platform_test

int main(int argc, char** argv) {
    using namespace casemate::platform_test;
    CLI::App app{"Casemate's whole-system tests on the emulated platform"};
    Options options;
    bool list = false;
    app.add_option("--build", options.build, "build directory of the release preset")->required();
    app.add_option("--logs", options.logs, "directory for one log a scenario")->required();
    app.add_option("--jobs", options.jobs, "scenarios at a time")->check(CLI::Range(1, 8));
    app.add_option("--only", options.only, "run only scenarios whose name contains this");
    app.add_flag("--list", list, "list the scenarios and exit");
    CLI11_PARSE(app, argc, argv);
    if (list) {
        for (const Scenario& scenario : scenarios()) std::printf("%s\n", scenario.name.c_str());
        return 0;
    }
    std::filesystem::create_directories(options.logs);
    return Runner{options}.run();
}
