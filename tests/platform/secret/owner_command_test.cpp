// SPDX-License-Identifier: Apache-2.0
// casemate-owner as its user runs it: provision, secret, epoch, on an emulated platform's software TPM.
#include "dlaunch/measure/tpm_session.hpp"
#include "dlaunch/model/software_tpm.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "tests/platform/secret/owner_hierarchy.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace casemate;
namespace fs = std::filesystem;

namespace {

struct Ran {
    int status;
    std::string text; // both outputs
};

class Scene {
public:
    Scene() : scratch_{std::move(model::StateDir::create()).value()} {}

    /// `arguments` go through a shell: redirections work, and $D is the scene's directory, $O a platform there.
    [[nodiscard]] Ran run(const std::string& arguments) const {
        const std::string command = "D='" + path("").string() + "'; O=\"--platform $D/p\"; exec 2>&1; " CASEMATE_OWNER " --build '" CASEMATE_BUILD_DIRECTORY "' " + arguments;
        std::FILE* const pipe = ::popen(command.c_str(), "r");
        REQUIRE(pipe != nullptr);
        Ran ran{0, {}};
        std::array<char, 4096> buffer;
        while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) ran.text.append(buffer.data(), count);
        const int status = ::pclose(pipe);
        ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        INFO(command << "\n" << ran.text);
        CHECK(ran.status >= 0);
        return ran;
    }
    void must(const std::string& arguments) const {
        const Ran ran = run(arguments);
        INFO(arguments << "\n" << ran.text);
        REQUIRE(ran.status == 0);
    }
    /// Refused, in a sentence with these words.
    void refused(const std::string& arguments, const std::string& words) const {
        const Ran ran = run(arguments);
        INFO(arguments << "\n" << ran.text);
        CHECK(ran.status == 1);
        CHECK(ran.text.find(words) != std::string::npos);
    }
    [[nodiscard]] nlohmann::json json(const std::string& arguments) const {
        const Ran ran = run(arguments + " --json");
        INFO(arguments << "\n" << ran.text);
        REQUIRE(ran.status == 0);
        return nlohmann::json::parse(ran.text);
    }
    [[nodiscard]] fs::path path(const std::string& name) const { return scratch_.path() / name; }
    [[nodiscard]] std::string contents(const std::string& name) const {
        std::ifstream stream{path(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }

private:
    model::StateDir scratch_;
};

std::set<std::string> outcomes(const nlohmann::json& report) {
    std::set<std::string> all;
    for (const auto& step : report["steps"]) all.insert(step["outcome"]);
    return all;
}

} // namespace

TEST_CASE("casemate provision, secret, epoch: the way of a platform from its first day to an update", "[owner-command]") {
    const Scene scene;
    scene.refused("secret list $O", "provision it first");
    scene.refused("provision $O", "which TPM?");
    scene.refused("provision $O --emulated --dry-run", "a dry run makes no emulated TPM");
    CHECK(outcomes(scene.json("provision $O --emulated")) == std::set<std::string>{"was done", "done"}); // the key is the manufacturer's
    CHECK(outcomes(scene.json("provision $O")) == std::set<std::string>{"was done"});
    CHECK(scene.json("epoch show $O")["epoch"] == 1);

    scene.must("secret put net0 tunnel-key $O < " CASEMATE_BUILD_DIRECTORY "/dev-keys/operator.token");
    scene.refused("secret put net0 tunnel-key $O < /dev/null", "nothing came");
    scene.refused("secret put net0 tunnel-key $O < /etc/services", "at most 128 bytes");
    scene.refused("secret put net9 tunnel-key $O < /etc/hostname", "the policy has no driver VM net9");
    scene.refused("secret put net0 volume-key $O < /etc/hostname", "no driver VM net0 that may be given a secret volume-key");
    scene.refused("secret put agent tunnel-key $O < /etc/hostname", "no driver VM agent");
    scene.refused("secret put net0 tunnel-key $O --owner-key /etc/hostname < /etc/hostname", "/etc/hostname");
    scene.refused("secret put net0 tunnel-key $O --reference /etc/hostname < /etc/hostname", "/etc/hostname");
    scene.refused("secret remove net0 other $O", "no secret other");
    CHECK(scene.json("secret list $O").size() == 1);
    CHECK(scene.json("secret list $O")[0]["approved_until_epochs"] == nlohmann::json{1});

    scene.refused("epoch bump $O", "approve one first");
    CHECK(scene.json("epoch show $O")["epoch"] == 1);
    scene.must("secret approve $O");
    CHECK(scene.json("epoch bump $O")["epoch"] == 2);
    scene.refused("epoch bump $O", "approve one first");
    CHECK(scene.json("epoch bump $O --to 2")["epoch"] == 2);
    scene.refused("epoch bump $O --to 999999", "far from");
    scene.must("secret remove net0 tunnel-key $O");
    CHECK(scene.json("secret list $O").empty());
    CHECK(scene.run("secret put $O").status == 2);
    CHECK(scene.run("epoch sing $O").status == 2);
}

TEST_CASE("a secret for a fleet is sealed to each of its platforms, and to no other", "[owner-command]") {
    const Scene scene;
    scene.must("provision --platform $D/p --emulated");
    scene.must("provision --platform $D/q --emulated");
    scene.must("secret put disk0 volume-key --platform $D/p --platform $D/q < /etc/hostname");
    const auto all = scene.json("secret list --platform $D/p --platform $D/q");
    REQUIRE(all.size() == 2);
    CHECK(all[0]["platform"] != all[1]["platform"]);
    fs::rename(scene.path("p/tpm"), scene.path("p/away"));
    fs::rename(scene.path("q/tpm"), scene.path("p/tpm"));
    scene.refused("epoch bump $O", "not the TPM of the platform");
    scene.refused("secret put disk0 volume-key $O < /etc/hostname", "not the TPM of the platform");
    scene.refused("provision $O", "another platform's");
}

TEST_CASE("the password of the TPM's owner hierarchy comes from a private file, and is never shown", "[owner-command]") {
    const Scene scene;
    scene.must("provision $O --emulated");
    scene.must("provision $O --undo");
    {
        auto tpm = model::SoftwareTpm::start(scene.path("p/tpm"));
        REQUIRE(tpm.ok());
        secret_test::set_hierarchy_password([&](ByteView command) { return tpm.value()->exchange(command, 0).value(); }, measure::TPM_RH_OWNER, "sesame-sesame");
    }
    std::ofstream{scene.path("password")} << "sesame-sesame\n";
    std::ofstream{scene.path("wrong")} << "open-barley\n";
    std::ofstream{scene.path("long")} << std::string(65, 'x');
    scene.refused("provision $O --owner-password-file $D/password", "mode 0600");
    for (const char* name : {"password", "wrong", "long"}) fs::permissions(scene.path(name), fs::perms::owner_read | fs::perms::owner_write);
    scene.refused("provision $O", "--owner-password-file names none");
    scene.refused("provision $O --owner-password-file $D/long", "1 to 64 bytes");
    const Ran wrong = scene.run("provision $O --owner-password-file $D/wrong");
    CHECK(wrong.status == 1);
    CHECK(wrong.text.find("is not its owner hierarchy's") != std::string::npos);
    CHECK(wrong.text.find("barley") == std::string::npos);
    const Ran good = scene.run("provision $O --owner-password-file $D/password --json");
    CHECK(good.status == 0);
    CHECK(good.text.find("sesame") == std::string::npos);
    scene.refused("epoch bump $O", "--owner-password-file names none");
    const auto before = scene.json("epoch show $O")["epoch"].get<int>(); // who reads needs none
    CHECK(scene.json("epoch bump $O --owner-password-file $D/password")["epoch"] == before + 1);
    scene.must("bootstrap remove $O --owner-password-file $D/password");
    scene.refused("provision $O --undo", "--owner-password-file names none");
    CHECK(fs::exists(scene.path("p/platform.json"))); // nothing was undone
    scene.must("provision $O --undo --owner-password-file $D/password");
}

TEST_CASE("boot files go onto the EFI system partition, are brought up to date, and come off again", "[owner-command]") {
    const Scene scene;
    fs::create_directories(scene.path("esp/EFI/BOOT"));
    scene.must("provision $O --emulated");
    scene.refused("provision $O --esp $D/none", "mount the EFI system partition");
    std::ofstream{scene.path("esp/EFI/BOOT/BOOTX64.EFI")} << "another's";
    scene.refused("provision $O --esp $D/esp", "another boot loader");
    CHECK(scene.contents("esp/EFI/BOOT/BOOTX64.EFI") == "another's");
    fs::remove(scene.path("esp/EFI/BOOT/BOOTX64.EFI"));

    const auto files = [&] { return std::distance(fs::recursive_directory_iterator{scene.path("")}, {}); };
    const auto before = files();
    CHECK(outcomes(scene.json("provision $O --esp $D/esp --dry-run")).contains("to do"));
    CHECK(files() == before);
    CHECK_FALSE(fs::exists(scene.path("esp/EFI/BOOT/BOOTX64.EFI")));
    scene.must("provision $O --esp $D/esp");
    CHECK(outcomes(scene.json("provision $O --esp $D/esp")) == std::set<std::string>{"was done"});
    CHECK(scene.contents("esp/casemate/launch.cfg").find("image = net0.img\n") != std::string::npos);

    std::ofstream{scene.path("esp/casemate/net0.img"), std::ios::app} << "!";
    CHECK(outcomes(scene.json("provision $O --esp $D/esp")) == std::set<std::string>{"done", "was done"});
    scene.must("provision $O --esp $D/esp --undo");
    CHECK(fs::is_empty(scene.path("esp")));
    CHECK_FALSE(fs::exists(scene.path("p/platform.json")));
    scene.must("provision $O --esp $D/esp");
}

TEST_CASE("killed at any moment, the same command finishes the work", "[owner-command]") {
    const Scene scene;
    scene.must("provision $O --emulated");
    fs::create_directories(scene.path("esp"));
    for (int milliseconds = 0; milliseconds <= 320; milliseconds += 40) {
        const pid_t child = ::fork();
        if (child == 0) {
            std::freopen("/dev/null", "w", stdout);
            const std::string platform = scene.path("p"), esp = scene.path("esp");
            ::execl(CASEMATE_OWNER, CASEMATE_OWNER, "--build", CASEMATE_BUILD_DIRECTORY, "provision", "--platform", platform.c_str(), "--esp", esp.c_str(), nullptr);
            ::_exit(127);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        std::this_thread::sleep_for(std::chrono::milliseconds{50}); // its TPM ends with it
    }
    scene.must("provision $O --esp $D/esp");
    CHECK(outcomes(scene.json("provision $O --esp $D/esp")) == std::set<std::string>{"was done"});
}
