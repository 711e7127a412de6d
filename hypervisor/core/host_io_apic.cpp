// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/host_io_apic.hpp"

#include "hypervisor/hw/amdvi_interrupts.hpp"
#include "hypervisor/hw/pci_pins.hpp"

namespace casemate::core {

namespace {

/// The requester that AMD chipsets use for their I/O APIC [AMDVI 2.2.5; BKDG: SMBus function]: 00:14.0.
constexpr hw::RequesterId io_apic_requester{0x14 << 3};

using Pins = hw::PciPins<hw::MmioBus>;
static_assert(host_vector::pci_lines_end - host_vector::pci_lines == Pins::count);

} // namespace

bool take_over_io_apic(Machine& machine, hw::AmdVi& iommu) {
    auto* const table = machine.tcb_memory().make<hw::InterruptTable>();
    auto io_apic = host_io_apic;
    if (table == nullptr || !io_apic.take_over(Pins::first + Pins::count)) return false;
    const std::uint8_t core = machine.cpus()[0]->apic_id();
    const auto route = [&](unsigned pin, std::uint8_t vector) {
        io_apic.route(pin, vector, core);
        table->set(vector, vector, core);
    };
    route(uart_pin, host_vector::management_uart);
    for (unsigned line = 0; line < Pins::count; ++line)
        route(Pins::first + line, static_cast<std::uint8_t>(host_vector::pci_lines + line));
    const HostPhys table_at{reinterpret_cast<std::uintptr_t>(table)};
    return iommu.attach_interrupts(io_apic_requester, table_at, hw::InterruptTable::log2_entries).ok();
}

} // namespace casemate::core
