// SPDX-License-Identifier: Apache-2.0
// Why a VM stopped. The cause is what the custody ledger records (docs/interfaces/ledger.md); the reason is the
// detail, one number for each way a VM can end.
#pragma once

#include "dlaunch/measure/custody_types.hpp"

#include <cstdint>

namespace casemate::core {

using StopCause = measure::Cause;

enum class StopReason : std::uint16_t {
    none = 0,
    power_off = 1,                 // ACPI S5 through the sleep control register
    reset = 2,                     // ACPI reset register
    requested = 3,                 // Vm::stop() or Vm::restart()
    triple_fault = 10,             // shutdown intercept
    invalid_state = 11,            // the processor refused the guest's register state (VMEXIT_INVALID)
    unmapped_memory = 12,          // an access outside RAM, windows, assigned BARs and virtual devices
    instruction_not_emulated = 13, // device memory touched by an instruction that the emulator does not know
    unreadable_instruction = 14, // the instruction bytes could not be fetched through the guest's page tables
    unexpected_exit = 15,        // an exit code that is not intercepted
    machine_check = 16,
    image_refused = 17, // the boot images do not fit or are not a kernel
    watchdog = 18,      // the guest started the watchdog of ACPI WDAT and then fell silent
};

} // namespace casemate::core
