// SPDX-License-Identifier: Apache-2.0
// The emulated platform as an object: swtpm, QEMU and the SKINIT model, started together, stopped together.
// Invariant: when any part ends, everything stops; after stop() or destruction no process and no file is left.
// Several may run in one process. The thread that calls start() must outlive the platform and be the one that
// calls step(): the kernel kills the children when that thread ends.
//
//   auto platform = Platform::start(config, events);
//   while (!platform->ending()) platform->step(Millis{200});
#pragma once

#include "dlaunch/model/child.hpp"
#include "dlaunch/model/console.hpp"
#include "dlaunch/model/host_processor.hpp"
#include "dlaunch/model/qmp_client.hpp"
#include "dlaunch/model/skinit_model.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/model/tpm_identity.hpp"

namespace casemate::model {

/// How the platform ended by itself.
struct Ending {
    bool failed = false; // something broke: not the guest's own doing
    int status = 0;      // QEMU's exit status; isa-debug-exit with value v gives 2v+1
    std::string reason;  // one sentence
};

/// All are called from step(); an empty one is not called. They must not destroy the platform.
struct PlatformEvents {
    std::function<void(const std::string& line)> on_console_line; // COM1
    std::function<void(const LaunchRecord&)> on_launch;
    std::function<void(const std::string& line)> on_log; // the model's own words, for example a refused TPM command
    std::function<void(const Ending&)> on_ending;
};

class Platform {
public:
    static Outcome<std::unique_ptr<Platform>> start(PlatformConfig config, PlatformEvents events);
    ~Platform();
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;

    /// Handles what has happened, waiting at most `max_wait` for something to happen.
    void step(Millis max_wait);
    /// For callers with a loop of their own: readable when step() has something to do.
    [[nodiscard]] int poll_fd() const { return reactor_->poll_fd(); }
    [[nodiscard]] const std::optional<Ending>& ending() const { return ending_; }
    [[nodiscard]] bool plugin_has_left() const { return skinit_->plugin_has_left(); }
    /// Ends everything now. Idempotent; ending() stays as it is.
    void stop();

    [[nodiscard]] const std::filesystem::path& state_directory() const { return state_.path(); }
    /// UNIX socket that is COM2.
    [[nodiscard]] std::filesystem::path management_uart_path() const { return state_.path() / "com2"; }
    [[nodiscard]] const TpmIdentity& tpm_identity() const { return identity_; }
    /// -1 before it was started.
    [[nodiscard]] int qemu_pid() const { return qemu_ ? qemu_->pid() : -1; }
    /// Of QEMU, in the order of the cores.
    [[nodiscard]] const std::vector<int>& processor_threads() const { return processor_threads_; }
    [[nodiscard]] int swtpm_pid() const { return swtpm_ ? swtpm_->pid() : -1; }
    /// One TPM command of the host's own, between the guest's.
    Outcome<std::vector<std::uint8_t>> tpm_command(ByteView command) { return tpm_->transact(command); }
    [[nodiscard]] const TpmCommandCounts& tpm_command_counts() const { return tpm_->command_counts(); }
    /// A QMP command, for tests: query-status, pmemsave, device_add, human-monitor-command. Not from an event.
    Outcome<nlohmann::json> monitor(const std::string& command, const nlohmann::json& arguments);

private:
    Platform(PlatformConfig config, StateDir state, std::unique_ptr<Reactor> reactor);
    Status<Error> prepare();
    Status<Error> start_tpm(UniqueFd qemu_control);
    Status<Error> start_qemu();
    Status<Error> confine_processors();
    Status<Error> watch_console(UniqueFd console);
    void on_console();
    void on_debugger();
    void on_qemu_exit();
    void on_tpm_exit();
    void drain_console();
    void record_launch(const LaunchRecord& record);
    std::string cause_of(const std::string& symptom);
    void end(Ending ending);
    void fail_with(const std::string& reason) { end({true, -1, reason}); }

    PlatformConfig config_;
    PlatformEvents events_;
    StateDir state_; // first in, last out
    TpmIdentity identity_;
    std::unique_ptr<Reactor> reactor_;
    HostProcessor host_processor_;
    std::vector<int> processor_threads_;
    UniqueFd console_;
    ConsoleLines lines_;
    std::unique_ptr<QmpClient> monitor_;
    std::unique_ptr<TpmProxy> tpm_;
    std::unique_ptr<SkinitModel> skinit_;
    std::unique_ptr<Child> swtpm_;
    std::unique_ptr<Child> qemu_;
    std::optional<Ending> ending_;
};

} // namespace casemate::model
