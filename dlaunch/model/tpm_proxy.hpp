// SPDX-License-Identifier: Apache-2.0
// Sits between QEMU and swtpm, on the control channel and on the data channel (swtpm serves one client only).
// Invariants: HASH_* from QEMU's side never reaches swtpm; while a launch hashes, no TPM command is in flight.
// The control dialogue is strictly request and response, so each request is carried out synchronously.
//
//   QEMU control ──► frames, rules ──► swtpm control ◄── measure() (the model's own HASH_*)
//   QEMU data    ──► whole commands, one at a time ──► swtpm data
#pragma once

#include "dlaunch/model/byte_io.hpp"
#include "dlaunch/model/tpm_frames.hpp"

#include <map>

namespace casemate::model {

/// How often the guest sent which command: by locality, then by TPM_CC [TPM2-P2 6.5.2]. The host's own are not counted.
using TpmCommandCounts = std::map<std::uint8_t, std::map<std::uint32_t, std::uint64_t>>;

class TpmProxy {
public:
    struct Events {
        std::function<void(std::string)> log;    // one line: something was refused
        std::function<void(std::string)> failed; // the proxy cannot go on
    };

    /// `qemu_control` and `swtpm_control` are our ends of connected sockets.
    static Outcome<std::unique_ptr<TpmProxy>> create(Reactor& reactor, UniqueFd qemu_control, UniqueFd swtpm_control,
                                                     Events events);
    ~TpmProxy();

    /// SKINIT's transfer of the SLB to the TPM: HASH_START, HASH_DATA..., HASH_END at locality 4 [TCG PC Client PTP].
    /// Waits for a command in flight to end first.
    Status<Error> measure(ByteView secure_loader);
    /// One TPM command of the host's own, between those of the guest, at whatever locality the guest last used.
    Outcome<std::vector<std::uint8_t>> transact(ByteView command);
    [[nodiscard]] const TpmCommandCounts& command_counts() const { return command_counts_; }
    /// QEMU has asked swtpm to shut down: its end is expected.
    [[nodiscard]] bool shut_down() const { return shut_down_; }

private:
    TpmProxy(Reactor& reactor, UniqueFd qemu_control, UniqueFd swtpm_control, Events events);
    Status<Error> open_swtpm_data();
    void on_qemu_control();
    void on_qemu_data();
    void on_swtpm_data();
    Status<Error> receive_control();
    Status<Error> handle_control(const ControlFrame& frame, ByteView bytes);
    Status<Error> take_data_fd();
    Outcome<std::vector<std::uint8_t>> control(ByteView request, std::size_t response_size);
    Status<Error> hash_command(ByteView request);
    Status<Error> become_idle();
    Status<Error> forward_commands();
    void check(const Status<Error>& status);

    Reactor& reactor_;
    UniqueFd qemu_control_;
    UniqueFd swtpm_control_;
    UniqueFd qemu_data_;
    UniqueFd swtpm_data_;
    UniqueFd passed_fd_; // received with a control message, not yet claimed by SET_DATAFD
    Events events_;
    std::vector<std::uint8_t> from_qemu_control_;
    std::vector<std::uint8_t> from_qemu_;
    std::vector<std::uint8_t> from_swtpm_;
    TpmCommandCounts command_counts_;
    std::uint8_t locality_ = 0; // that QEMU set last
    bool in_flight_ = false;
    bool shut_down_ = false;
};

} // namespace casemate::model
