// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/management_uart.hpp"

#include "hypervisor/arch/mmio.hpp"
#include "hypervisor/hw/amdvi_interrupts.hpp"

namespace casemate::core {

namespace {

constexpr std::uint16_t uart_port = 0x2f8, uart_ports = 8;
constexpr unsigned uart_pin = 3;
/// The requester that AMD chipsets use for their I/O APIC [AMDVI 2.2.5; BKDG: SMBus function]: 00:14.0.
constexpr hw::RequesterId io_apic_requester{0x14 << 3};

constexpr HostPhys io_apic{0xfec00000}; // [82093AA 3.1]
constexpr std::uint64_t select = 0x00, window = 0x10, end_of_interrupt = 0x40;
constexpr std::uint32_t version = 0x01, first_entry = 0x10;
constexpr std::uint32_t level = 1u << 15, masked = 1u << 16;
constexpr std::uint32_t first_with_end_of_interrupt = 0x20; // version
// A remapped entry's vector and delivery mode select the table entry: index = vector, fixed mode.
constexpr std::uint8_t vector = host_vector::management_uart;

std::uint32_t read(std::uint32_t index) {
    arch::mmio_write32(io_apic + select, index);
    return arch::mmio_read32(io_apic + window);
}

void write(std::uint32_t index, std::uint32_t value) {
    arch::mmio_write32(io_apic + select, index);
    arch::mmio_write32(io_apic + window, value);
}

bool mask_all() {
    const std::uint32_t last_pin = read(version) >> 16 & 0xff;
    if (last_pin < uart_pin || last_pin > 239 || (read(version) & 0xff) < first_with_end_of_interrupt) return false;
    for (std::uint32_t pin = 0; pin <= last_pin; ++pin) write(first_entry + 2 * pin, masked);
    return (read(first_entry + 2 * uart_pin) & masked) != 0;
}

} // namespace

bool give_management_uart(Machine& machine, hw::AmdVi& iommu, Vm& agent) {
    auto* const table = machine.tcb_memory().make<hw::InterruptTable>();
    if (table == nullptr || !mask_all()) return false;
    table->set(vector, vector, agent.core().apic_id());
    const HostPhys table_at{reinterpret_cast<std::uintptr_t>(table)};
    if (!iommu.attach_interrupts(io_apic_requester, table_at, hw::InterruptTable::log2_entries).ok())
        return false;
    write(first_entry + 2 * uart_pin + 1, std::uint32_t{agent.core().apic_id()} << 24);
    write(first_entry + 2 * uart_pin, vector | level);
    agent.ports().allow(uart_port, uart_ports);
    return true;
}

void pass_uart_interrupt(Vm& agent) {
    write(first_entry + 2 * uart_pin, vector | level | masked);
    agent.platform().io_apic.raise(uart_pin);
}

/// A pin that the agent itself keeps masked waits for the agent to open it: the line may be high all the while.
bool reopen_uart_pin(Vm& agent) {
    const auto virtual_vector = agent.platform().io_apic.open_vector(uart_pin);
    if (!virtual_vector || agent.vcpu().apic().in_progress(*virtual_vector)) return false;
    arch::mmio_write32(io_apic + end_of_interrupt, vector);
    write(first_entry + 2 * uart_pin, vector | level);
    return true;
}

} // namespace casemate::core
