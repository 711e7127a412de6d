// SPDX-License-Identifier: Apache-2.0
// What root in a driver VM can try against everybody else, one function a kind. Each prints one line for tests/platform:
//   CM_HOSTILE <attack> key=value ...
// None says whether it did harm: the attacker cannot know. The test looks at physical memory and at the other VMs.
#pragma once

#include "drivervms/hostile/edu_device.hpp"

namespace casemate::hostile {

/// Positive control: the device moves data within this VM's own memory. False: the rest would prove nothing.
bool move_own_memory(EduDevice& edu);
/// DMA writes of a pattern to addresses outside this VM's memory: RAM of others, the TCB, other functions, platform registers.
void write_foreign_memory(EduDevice& edu);
/// DMA reads likewise; what comes back must be no memory's content.
void read_foreign_memory(EduDevice& edu);
/// Messages with the vectors of others and of the hypervisor, to both cores, in every delivery mode; by the MSI capability and by DMA.
void raise_foreign_interrupts(EduDevice& edu);
/// Reads of every port but the virtual platform's own.
void read_ports();
/// The MSRs of virtualisation, memory layout and system management.
void use_msrs();
/// Hypercalls from user space with arguments without meaning.
void call_hypervisor();
/// Writes to the TPM's locality page. Does not return if the hypervisor does its duty.
void touch_tpm();

} // namespace casemate::hostile
