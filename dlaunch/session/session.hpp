// SPDX-License-Identifier: Apache-2.0
// One session of the emulated platform with everything around it: TPM identity, verifier, ESP, QEMU and swtpm under the
// SKINIT model, relay. `casemate up` runs one; every platform test runs one with something changed.
// Invariant: when the Session is gone, so is every process and every file that it made.
//
//   verifierd ◄─HTTPS─ relay ◄─management UART─ platform (QEMU + swtpm + SKINIT model)
#pragma once

#include "attest/relay/relay.hpp"
#include "dlaunch/model/platform.hpp"
#include "dlaunch/session/artefacts.hpp"
#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/observation.hpp"
#include "dlaunch/session/operator_socket.hpp"
#include "dlaunch/session/order_desk.hpp"
#include "dlaunch/session/sealing.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>

namespace casemate::session {

struct SessionConfig {
    Artefacts artefacts;
    unsigned processors = 2;
    unsigned memory_mib = 2048;
    std::string pcr_banks = "sha256,sha384";
    model::SkinitMode skinit = model::SkinitMode::faithful;
    std::vector<std::string> extra_qemu_arguments;
    std::string tap; // behind the NIC; empty: QEMU's user network
    /// File name in \casemate to the host file that replaces or adds it ("slb.bin", "vmlinuz", "policy.cbor" ...).
    std::map<std::string, std::filesystem::path> replaced;
    /// Commands that serve more ports of 10.0.2.100 (dlaunch/model/config.hpp).
    std::map<unsigned, std::string> further_peers;
    std::filesystem::path uploads;     // a directory for what the peer got, one file an upload; empty: one file, of the last
    std::filesystem::path reference;   // empty: the build's
    std::filesystem::path console_log; // empty: none
    std::filesystem::path operator_directory; // where the session listens for its operator; empty: nowhere
    /// The platform's own: TPM, disk and sealed secrets, which outlive the session (docs/interfaces/platform-directory.md). Empty: a new one.
    std::filesystem::path platform;
    std::vector<SecretFor> secrets; // sealed to this platform before it starts
    std::optional<BootstrapFor> bootstrap; // likewise
    bool management_uart = true;    // false: nobody answers there
    unsigned guests_verifier_port = 0; // of 10.0.2.100, where guests find the verifier; 0: nowhere
    /// For tests: the relay runs in this process and this stands in it, called from the relay's thread.
    relay::Carrier carrier;
};

class Session {
public:
    static model::Outcome<std::unique_ptr<Session>> start(SessionConfig config);
    ~Session();

    /// Runs until `done` holds, the platform ends, or `limit` passes; true when `done` held.
    bool run_until(const std::function<bool(const Observation&)>& done, std::chrono::seconds limit);
    /// Called for every console line, after it was noted.
    void on_console(std::function<void(const std::string&)> handler) { console_ = std::move(handler); }
    /// Called about once a second while run_until() waits.
    void on_idle(std::function<void()> handler) { idle_ = std::move(handler); }

    [[nodiscard]] const Observation& seen() const { return seen_; }
    [[nodiscard]] model::Platform& platform() { return *platform_; }
    [[nodiscard]] std::filesystem::path home() const { return config_.platform.empty() ? directory() / "platform" : config_.platform; }
    [[nodiscard]] const std::filesystem::path& directory() const { return state_.path(); }
    [[nodiscard]] std::filesystem::path nvme_image() const { return home() / "nvme.img"; }
    [[nodiscard]] std::filesystem::path upload_result() const { return config_.uploads.empty() ? directory() / "upload.json" : config_.uploads; }
    [[nodiscard]] const std::filesystem::path& reference() const { return config_.reference; }
    [[nodiscard]] std::filesystem::path keys() const { return config_.artefacts.keys(); }
    /// SHA-256, in hex, of what the host's peer sends to net0.
    [[nodiscard]] std::string download_sha256() const;
    [[nodiscard]] int verifier_pid() const { return verifier_ ? verifier_->pid() : -1; }
    [[nodiscard]] int relay_pid() const { return relay_ ? relay_->pid() : -1; }
    /// GET of the verifier's API with the operator's token; null when it does not answer with JSON.
    [[nodiscard]] nlohmann::json ask_verifier(const std::string& path) const;
    /// The newest evidence with its appraisal, as the verifier stored it; null when there is none.
    [[nodiscard]] nlohmann::json last_evidence() const;
    /// POST likewise.
    nlohmann::json tell_verifier(const std::string& path, const nlohmann::json& body) const;
    /// DELETE likewise.
    nlohmann::json remove_at_verifier(const std::string& path) const;

private:
    Session(SessionConfig config, model::StateDir state, std::unique_ptr<model::Reactor> reactor);
    Status<model::Error> prepare();
    Status<model::Error> make_esp();
    Status<model::Error> make_home() const;
    Status<model::Error> start_verifier(const model::TpmIdentity& identity);
    Status<model::Error> start_platform();
    Status<model::Error> start_relay();
    Status<model::Error> start_relay_here();
    void on_line(const std::string& line);
    void read_status();
    Status<model::Error> listen_for_operator();
    [[nodiscard]] nlohmann::json live_status() const;
    [[nodiscard]] VerifierClient verifier_client() const;
    void add_core(nlohmann::json& vm) const;

    SessionConfig config_;
    model::StateDir state_; // first in, last out
    std::unique_ptr<model::Reactor> reactor_;
    Observation seen_;
    LiveReport live_;
    const Clock::time_point started_ = Clock::now();
    std::function<void()> idle_;
    std::function<void(const std::string&)> console_;
    std::string verifier_url_;
    std::unique_ptr<model::Child> verifier_;
    std::unique_ptr<model::Child> relay_;
    model::UniqueFd relay_stop_;
    std::thread relay_thread_; // with a carrier, in the place of relay_
    std::unique_ptr<model::Platform> platform_;
    OrderDesk orders_{directory() / "orders.json"};
    std::unique_ptr<OperatorSocket> operator_;
};

} // namespace casemate::session
