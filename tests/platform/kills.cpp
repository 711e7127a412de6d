// SPDX-License-Identifier: Apache-2.0
// SIGKILL to each part around the platform, at moments that a seed decides. Nothing wedges, nothing stays, the next session works.
// CASEMATE_SEED=N in the environment repeats the moments of an earlier run.
#include "tests/platform/fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned latest_moment_ms = 22'000; // by then the agent has enrolled on an idle machine

struct Part {
    const char* name;
    int (*pid)(Session&);
    bool carries_the_platform; // without it the platform ends
};

const Part parts[] = {
    {"verifier", [](Session& s) { return s.verifier_pid(); }, false},
    {"relay", [](Session& s) { return s.relay_pid(); }, false},
    {"swtpm", [](Session& s) { return s.platform().swtpm_pid(); }, true},
    {"QEMU", [](Session& s) { return s.platform().qemu_pid(); }, true},
};

/// Directories and processes of one session, to be looked for when it is over.
struct Traces {
    std::vector<fs::path> directories;
    std::vector<int> pids;

    explicit Traces(Session& session) : directories{session.directory(), session.platform().state_directory()} {
        for (const Part& part : parts) pids.push_back(part.pid(session));
    }
    [[nodiscard]] bool files_left() const {
        return std::any_of(directories.begin(), directories.end(), [](const fs::path& each) { return fs::exists(each); });
    }
    /// Also those that QEMU started: each names a file of the session on its command line.
    [[nodiscard]] bool processes_left() const {
        if (std::any_of(pids.begin(), pids.end(), [](int pid) { return kill(pid, 0) == 0; })) return true;
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
            std::ifstream in{entry.path() / "cmdline", std::ios::binary};
            const std::string line{std::istreambuf_iterator<char>{in}, {}};
            for (const fs::path& each : directories)
                if (line.find(each.string()) != std::string::npos) return true;
        }
        return false;
    }
};

void run_for(Session& session, milliseconds time) {
    const auto until = session::Clock::now() + time;
    session.run_until([&](const Observation&) { return session::Clock::now() >= until; }, seconds{120});
}

/// What is left of a session in which `part` was killed at `moment`.
std::optional<Traces> killed(Context& context, const Part& part, milliseconds moment) {
    const auto session = begin(context, standard(context));
    if (!session) return std::nullopt;
    Traces traces{*session};
    run_for(*session, moment);
    const std::string when = std::string{part.name} + " killed after " + std::to_string(moment.count()) + " ms: ";
    context.expect(session->seen().ending.empty(), when + "until then the platform ran");
    kill(part.pid(*session), SIGKILL);
    run_for(*session, seconds{part.carries_the_platform ? 30 : 3});
    const std::string& ending = session->seen().ending;
    if (part.carries_the_platform) context.expect(!ending.empty(), when + "the platform ends and says why (" + ending + ")");
    else context.expect(ending.empty(), when + "the platform goes on without it");
    return traces;
}

unsigned seed() {
    const char* wanted = std::getenv("CASEMATE_SEED");
    return wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : std::random_device{}();
}

const Registration kills{"parts-killed-at-random-moments-leave-nothing-behind-and-the-next-session-works", [](Context& context) {
    const unsigned chosen = seed();
    std::printf("CASEMATE_SEED=%u repeats these moments\n", chosen);
    std::mt19937 random{chosen};
    for (const Part& part : parts) {
        const auto traces = killed(context, part, milliseconds{random() % latest_moment_ms});
        if (!traces) return;
        context.expect(!traces->processes_left(), std::string{part.name} + " killed: no process is left");
        context.expect(!traces->files_left(), std::string{part.name} + " killed: no file is left");
    }
    const auto session = begin(context, standard(context));
    context.expect(session && session->run_until(both_assigned, seconds{300}), "the next session hands both devices over");
}};

} // namespace

} // namespace casemate::platform_test
