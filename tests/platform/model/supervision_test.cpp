// SPDX-License-Identifier: Apache-2.0
// Whatever dies, everything stops, with a sentence, and nothing is left.
#include "tests/platform/model/scene.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

using namespace casemate::model;
using namespace casemate::model::test;
namespace fs = std::filesystem;

namespace {

/// Empty for a process that has just ended: reading its file then throws.
std::string command_line(const std::string& pid) {
    try {
        const auto bytes = file_bytes("/proc/" + pid + "/cmdline");
        return {bytes.begin(), bytes.end()};
    } catch (const std::ios_base::failure&) {
        return {};
    }
}

/// Processes whose command line mentions `text`.
std::vector<int> processes_with(const std::string& text) {
    std::vector<int> found;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (std::stoi(name) != ::getpid() && command_line(name).find(text) != std::string::npos)
            found.push_back(std::stoi(name));
    }
    return found;
}

int process_named(const std::string& program, const std::string& directory) {
    for (const int pid : processes_with(directory))
        if (command_line(std::to_string(pid)).starts_with(program)) return pid;
    return -1;
}

bool disappears(const fs::path& directory) {
    for (int tries = 0; tries < 100; ++tries) {
        if (!fs::exists(directory) && processes_with(directory.string()).empty()) return true;
        ::usleep(50'000);
    }
    return false;
}

} // namespace

TEST_CASE("when swtpm or QEMU is killed the platform ends with a sentence and leaves nothing") {
    for (const std::string victim : {"swtpm", "qemu-system-x86_64"}) {
        INFO(victim);
        fs::path directory;
        {
            Scene scene;
            const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds{2};
            while (std::chrono::steady_clock::now() < enough) scene.platform().step(Millis{50});
            directory = scene.platform().state_directory();
            const int pid = process_named(victim, directory.string());
            REQUIRE(pid > 0);
            ::kill(pid, SIGKILL);
            REQUIRE(scene.ends());
            INFO(scene.platform().ending()->reason);
            CHECK(scene.platform().ending()->failed);
            CHECK(scene.platform().ending()->reason.find(victim.substr(0, 4)) == 0);
            CHECK(scene.platform().ending()->reason.find("killed by signal 9") != std::string::npos);
        }
        CHECK(disappears(directory));
    }
}

TEST_CASE("two platforms run side by side in one process") {
    Scene first;
    Scene second;
    CHECK(first.platform().state_directory() != second.platform().state_directory());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{150};
    while (!(first.said("@slb done") && second.said("@slb done")) && std::chrono::steady_clock::now() < deadline) {
        first.platform().step(Millis{50});
        second.platform().step(Millis{50});
    }
    CHECK(first.said("@slb done"));
    CHECK(second.said("@slb done"));
}

TEST_CASE("the state directory is private, and the command leaves nothing whichever signal ends it") {
    for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
        INFO(signal);
        const auto scratch = StateDir::create();
        REQUIRE(scratch.ok());
        const fs::path directory = scratch.value().path();
        CHECK((fs::status(directory).permissions() & fs::perms::all) == fs::perms::owner_all);
        fs::create_directories(directory / "esp" / "EFI" / "BOOT");
        fs::copy_file(CASEMATE_SKINIT_GUEST, directory / "esp/EFI/BOOT/BOOTX64.EFI");
        fs::create_directory(directory / "tmp");
        const auto reactor = Reactor::create();
        auto command = Child::start(*reactor.value(),
                                    {"casemate-platform",
                                     {CASEMATE_PLATFORM_COMMAND, "--esp-dir", (directory / "esp").string()},
                                     {{"TMPDIR", (directory / "tmp").string()}},
                                     {}},
                                    [] {});
        REQUIRE(command.ok());
        for (int tries = 0; tries < 200 && process_named("qemu", (directory / "tmp").string()) < 0; ++tries)
            ::usleep(100'000);
        REQUIRE(process_named("qemu", (directory / "tmp").string()) > 0);
        ::kill(command.value()->pid(), signal);
        const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (command.value()->running() && std::chrono::steady_clock::now() < enough) reactor.value()->step(Millis{100});
        INFO(command.value()->epitaph());
        CHECK_FALSE(command.value()->running());
        // The kernel ends them with the command; a large one takes a moment to be gone, and what sweeps up ends last.
        const auto is_left = [&] { return !fs::is_empty(directory / "tmp") || !processes_with((directory / "tmp").string()).empty(); };
        for (int tries = 0; tries < 200 && is_left(); ++tries) ::usleep(50'000);
        CHECK(fs::is_empty(directory / "tmp"));
        CHECK(processes_with((directory / "tmp").string()).empty());
    }
}

TEST_CASE("a platform that cannot start says why") {
    PlatformConfig config;
    config.esp = "/nonexistent/esp.img";
    const auto started = Platform::start(config, {});
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().text == "EFI system partition /nonexistent/esp.img: No such file or directory");
}
