// SPDX-License-Identifier: Apache-2.0
// What the agent VM has and no other: the TPM view, the control device and the management UART.
// Both pairs of pages lie in windows of the VM: its processor sees them, no device reaches them, and they are
// wiped with its memory. Boot core only, and so is the agent VM: its policy core must be 0.
#pragma once

#include "hypervisor/core/machine.hpp"
#include "hypervisor/devices/control_device.hpp"
#include "hypervisor/devices/tpm_acpi.hpp"
#include "hypervisor/devices/tpm_crb.hpp"

namespace casemate::core {

class AgentDevices {
public:
    /// Before the VM is loaded for the first time. Nothing when there is no memory, or the VM is on another
    /// core.
    static AgentDevices* create(Machine& machine, Vm& agent, const policy::Policy& policy, devices::AgentTpm& tpm,
                                devices::ControlOperations& operations);

    [[nodiscard]] devices::TpmCrb& crb() { return *crb_; }
    [[nodiscard]] devices::ControlDevice& control() { return *control_; }
    /// The VM was wiped and loaded again.
    void reset();

private:
    [[nodiscard]] bool add_crb(Machine& machine, Vm& agent, const policy::Policy& policy, devices::AgentTpm& tpm);
    [[nodiscard]] bool add_control(Machine& machine, Vm& agent, devices::ControlOperations& operations);

    devices::TpmCrb* crb_ = nullptr;
    devices::ControlDevice* control_ = nullptr;
    std::array<std::uint8_t, 52> tpm2_ = devices::tpm2_table();
    std::array<std::uint8_t, 88> ssdt_ = devices::tpm_ssdt();
    std::array<ByteView, 2> tables_{tpm2_, ssdt_};
};

} // namespace casemate::core
