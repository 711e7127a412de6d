// SPDX-License-Identifier: Apache-2.0
// Agent, relay and verifier as the real programs, with a software TPM that saw a launch and a stand-in for the
// hypervisor: enrolment, challenge, quote, appraisal, grants; and a log that was tampered with.
#include "dlaunch/measure/launch_layout.hpp"
#include "dlaunch/model/child.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/model/tpm_identity.hpp"
#include "tests/platform/agent/stand_in_hypervisor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace casemate;
using namespace casemate::agent_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = 90s; // a loaded machine

template <typename T>
T take(Result<T, model::Error> result) {
    if (!result.ok()) FAIL(result.error().text);
    return std::move(result).value();
}

std::string text_of(const fs::path& file) {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

/// The serial line: two UNIX sockets, one for the agent and one for the relay, and a thread that copies.
class Line {
public:
    explicit Line(const fs::path& directory) : ends_{listen_at(directory / "agent"), listen_at(directory / "relay")} {
        thread_ = std::thread{[this] { copy(); }};
    }
    ~Line() {
        stop_ = true;
        thread_.join();
        for (const int fd : ends_) ::close(fd);
    }

private:
    static int listen_at(const fs::path& path) {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(fd, 1) == 0);
        return fd;
    }
    bool readable(int fd) const {
        pollfd one{fd, POLLIN, 0};
        return ::poll(&one, 1, 5) == 1;
    }
    void copy() {
        int connected[2] = {-1, -1};
        for (int i = 0; i < 2; ++i)
            while (!stop_ && connected[i] < 0)
                if (readable(ends_[i])) connected[i] = ::accept4(ends_[i], nullptr, nullptr, SOCK_CLOEXEC);
        char buffer[4096];
        while (!stop_) {
            for (int i = 0; i < 2; ++i) {
                if (!readable(connected[i])) continue;
                const ssize_t count = ::read(connected[i], buffer, sizeof buffer);
                if (count > 0) (void)!::write(connected[1 - i], buffer, static_cast<std::size_t>(count));
            }
        }
        for (const int fd : connected)
            if (fd >= 0) ::close(fd);
    }

    int ends_[2];
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

Bytes small_slb() {
    Bytes slb(1024, 0x90);
    const launch::SlbHeader header{64, 1024, launch::slb_magic, launch::layout_version, 2048};
    std::memcpy(slb.data(), &header, sizeof header);
    return slb;
}

class Bench {
public:
    Bench() : state_{take(model::StateDir::create())}, reactor_{take(model::Reactor::create())} {
        take(model::run_tool({"keys", {CASEMATE_KEYS, "init", keys()}, {}, {}}, model::Millis{60'000}));
        identity_ = take(model::ensure_tpm(directory() / "tpm", "sha256,sha384"));
        start("swtpm", {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + (directory() / "tpm").string(), "--server", "type=unixio," + swtpm(), "--ctrl",
                        "type=unixio," + swtpm() + ".ctrl", "--flags", "startup-clear,not-need-init"});
        launch();
    }
    ~Bench() {
        for (auto& child : children_) child->stop(model::Millis{2000});
    }
    [[nodiscard]] fs::path directory() const { return state_.path(); }
    StandInHypervisor& hypervisor() { return *hypervisor_; }

    void run() {
        hypervisor_->serve();
        std::ofstream{directory() / "reference.json"} << hypervisor_->reference().dump();
        start_verifier();
        line_ = std::make_unique<Line>(directory());
        start("relay", {CASEMATE_RELAY, "--uart", directory() / "relay", "--verifier",
                        "https://127.0.0.1:" + text_of(directory() / "port").substr(0, 5), "--ca", keys() / "ca.pem",
                        "--report", directory() / "report.json"});
        start("agent", {CASEMATE_AGENT, "--tcti", "swtpm:" + swtpm(), "--control", hypervisor_->control_directory(),
                        "--line", directory() / "agent"});
    }

    /// The agent's latest report in which it has been appraised; null when there is none in time.
    nlohmann::json appraised_report() {
        const auto give_up = Clock::now() + patience;
        while (Clock::now() < give_up) {
            reactor_->step(model::Millis{50});
            const auto report = nlohmann::json::parse(text_of(directory() / "report.json"), nullptr, false);
            if (report.is_object() && report["agent"]["attestations"] > 0) return report;
        }
        return nullptr;
    }

private:
    [[nodiscard]] fs::path keys() const { return directory() / "keys"; }
    /// As swtpm and its TCTI both take it; the control channel is beside it, with `.ctrl`.
    [[nodiscard]] std::string swtpm() const { return "path=" + (directory() / "tpm.sock").string(); }

    void start(std::string name, std::vector<std::string> command) {
        children_.push_back(take(model::Child::start(*reactor_, {std::move(name), std::move(command), {}, {}}, {})));
    }
    void wait_for_file(const fs::path& file) {
        const auto give_up = Clock::now() + patience;
        while (text_of(file).empty() && Clock::now() < give_up) reactor_->step(model::Millis{20});
        REQUIRE_FALSE(text_of(file).empty());
    }
    /// SKINIT's part, then the SLB's and the hypervisor's.
    void launch() {
        const Bytes slb = small_slb();
        std::ofstream{directory() / "slb.bin", std::ios::binary}.write(reinterpret_cast<const char*>(slb.data()),
                                                                      static_cast<std::streamsize>(slb.size()));
        const std::string hash = "for i in $(seq 100); do swtpm_ioctl --unix " + (directory() / "tpm.sock.ctrl").string() + " -h - < " + (directory() / "slb.bin").string() + " && exit 0; sleep 0.1; done; exit 1";
        take(model::run_tool({"hash", {"sh", "-c", hash}, {}, {}}, model::Millis{60'000}));
        hypervisor_ = std::make_unique<StandInHypervisor>(StandInConfig{directory(), keys(), swtpm()}, slb);
    }
    void start_verifier() {
        start("verifier",
              {CASEMATE_VERIFIERD, "--state", directory() / "verifier", "--listen", "127.0.0.1:0", "--port-file",
               directory() / "port", "--tls-certificate", keys() / "server.pem", "--tls-key",
               keys() / "server.key.pem", "--grant-key", keys() / "grant.pem", "--operator-token",
               keys() / "operator.token", "--ek-ca", identity_->ca_certificates, "--reference",
               directory() / "reference.json"});
        wait_for_file(directory() / "port");
    }

    model::StateDir state_;
    std::unique_ptr<model::Reactor> reactor_;
    std::optional<model::TpmIdentity> identity_;
    std::unique_ptr<StandInHypervisor> hypervisor_;
    std::unique_ptr<Line> line_;
    std::vector<std::unique_ptr<model::Child>> children_;
};

} // namespace

TEST_CASE("an agent enrols, its evidence is affirmed, and a grant arrives for every open gate", "[agent]") {
    Bench bench;
    bench.run();
    const auto report = bench.appraised_report();
    REQUIRE(report.is_object());
    INFO(report.dump(1));
    CHECK(report["agent"]["verdict"] == "affirming");
    CHECK(report["agent"]["reasons"].empty());
    CHECK(report["agent"]["refused_submissions"].empty());
    const auto gates = bench.hypervisor().open_gates();
    const auto grants = bench.hypervisor().accepted();
    CHECK(bench.hypervisor().refused() == 0);
    CHECK(gates.size() == 2);
    for (const auto& gate : gates) {
        CHECK(std::count_if(grants.begin(), grants.end(), [&](const grant::Claims& claims) {
                  return claims.gate_nonce == gate.gate_nonce && claims.vm_id == gate.vm_id &&
                         claims.launch_id == gate.launch_id && claims.device == gate.device.address;
              }) == 1);
    }
}

TEST_CASE("evidence with one flipped bit in the log is contraindicated and brings no grant", "[agent]") {
    Bench bench;
    Bytes& log = bench.hypervisor().log();
    log[log.size() - 20] = static_cast<std::uint8_t>(log[log.size() - 20] ^ 1);
    bench.run();
    const auto report = bench.appraised_report();
    REQUIRE(report.is_object());
    INFO(report.dump(1));
    CHECK(report["agent"]["verdict"] == "contraindicated");
    CHECK_FALSE(report["agent"]["reasons"].empty());
    CHECK(bench.hypervisor().accepted().empty());
}
