// SPDX-License-Identifier: Apache-2.0
// Gives the second UART (ports 2F8-2FF, ISA interrupt 3) to the agent VM, the only legacy device that any VM
// owns. Its interrupt goes through the remapped I/O APIC (host_io_apic.hpp): pin 3, level -> the host vector of the
// management UART on the agent's core, which is the boot core -> pin 3 of the agent's virtual I/O APIC, an edge.
// An emulated UART sends a byte at once and says so with an interrupt: sixteen of them, and exits, for what the agent
// writes in one handler. So the host's pin is masked from its interrupt until the agent has ended the one it got.
#pragma once

#include "hypervisor/core/vm.hpp"

namespace casemate::core {

/// After take_over_io_apic().
void give_management_uart(Vm& agent);

/// The host's interrupt. On the agent's core, before its end of interrupt.
void pass_uart_interrupt(Vm& agent);
/// After an exit of the agent, while the pin is masked: true if it is open again.
[[nodiscard]] bool reopen_uart_pin(Vm& agent);

} // namespace casemate::core
