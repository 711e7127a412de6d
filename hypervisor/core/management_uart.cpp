// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/management_uart.hpp"

#include "hypervisor/core/host_io_apic.hpp"

namespace casemate::core {

namespace {

constexpr std::uint16_t uart_port = 0x2f8, uart_ports = 8;

} // namespace

void give_management_uart(Vm& agent) {
    agent.ports().allow(uart_port, uart_ports);
    hw::IoApic{host_io_apic}.reopen(uart_pin);
}

void pass_uart_interrupt(Vm& agent) {
    hw::IoApic{host_io_apic}.mask(uart_pin);
    agent.platform().io_apic.raise(uart_pin);
}

/// A pin that the agent itself keeps masked waits for the agent to open it: the line may be high all the while.
bool reopen_uart_pin(Vm& agent) {
    if (!agent.has_ended(uart_pin)) return false;
    hw::IoApic{host_io_apic}.reopen(uart_pin);
    return true;
}

} // namespace casemate::core
