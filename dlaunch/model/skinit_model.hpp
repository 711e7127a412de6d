// SPDX-License-Identifier: Apache-2.0
// SKINIT: takes over when the plugin has stopped the machine at the instruction, and leaves the machine in the
// state that the processor would [APM2 15.27], or with the exception that it would raise.
//
//   stop ─► breakpoint off ─► preconditions ─► measure (TPM, locality 4) ─► exit state by microcode ─► resume
//                                   └─ refused: verdict to the plugin (#UD, #GP) ─► resume
//
// Invariant: the machine is resumed only with the SLB measured as the mode demands, or with a refusal.
#pragma once

#include "dlaunch/model/config.hpp"
#include "dlaunch/model/gdb_client.hpp"
#include "dlaunch/model/launch_record.hpp"
#include "dlaunch/model/tpm_proxy.hpp"

namespace casemate::model {

class SkinitModel {
public:
    SkinitModel(GdbClient debugger, UniqueFd verdicts, TpmProxy& tpm, SkinitMode mode)
        : debugger_{std::move(debugger)}, verdicts_{std::move(verdicts)}, tpm_{tpm}, mode_{mode} {}

    [[nodiscard]] int fd() const { return debugger_.fd(); }
    /// Lets the machine start as soon as QEMU is ready; does not wait.
    Status<Error> power_on() { return debugger_.greet(); }
    /// Call when fd() is readable. A record when a SKINIT was carried out or refused.
    Outcome<std::optional<LaunchRecord>> on_readable();
    /// The plugin listens no more: some time after a launch.
    [[nodiscard]] bool plugin_has_left() const;

private:
    Outcome<LaunchRecord> carry_out();
    Outcome<ProcessorState> read_processor();
    Outcome<std::optional<Refusal>> decide(LaunchRecord& record);
    Status<Error> refuse(LaunchRecord& record, const Refusal& refusal);
    Status<Error> launch(LaunchRecord& record);
    Status<Error> enter(const SecureLoader& loader);
    Outcome<std::uint32_t> run_microcode();
    Status<Error> step_microcode();

    GdbClient debugger_;
    UniqueFd verdicts_;
    TpmProxy& tpm_;
    SkinitMode mode_;
    std::string thread_;
    bool powered_ = false;
    bool launched_ = false;
};

} // namespace casemate::model
