// SPDX-License-Identifier: Apache-2.0
// QEMU's command line for the emulated platform, as a pure function of its configuration.
// The why of each option: docs/platform-model.md.
#pragma once

#include "dlaunch/model/config.hpp"
#include "dlaunch/model/emulator.hpp"

namespace casemate::model {

/// What QEMU inherits, by descriptor number, and its private files.
struct QemuWiring {
    int com1;
    int com2; // listening
    int tpm_control;
    int debugger;
    int monitor;
    int verdicts; // reading end: the SKINIT plugin's
    std::filesystem::path firmware_variables;
    std::filesystem::path nvme;
    std::filesystem::path plugin;
};

/// COM1 is the socket `com1`; the firmware is QEMU's own, because nothing is launched.
std::vector<std::string> native_command(const Emulator& qemu, const NativeConfig& config, int com1);
std::vector<std::string> qemu_command(const Emulator& qemu, const PlatformConfig& config, const QemuWiring& wiring);

inline constexpr const char* firmware_code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
inline constexpr const char* firmware_variables_template = "/usr/share/OVMF/OVMF_VARS_4M.fd";

} // namespace casemate::model
