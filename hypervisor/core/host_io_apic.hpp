// SPDX-License-Identifier: Apache-2.0
// The machine's I/O APIC. Two users: the management UART (pin 3) and PCI's INTx lines (pins 16 to 23), all of them sent to
// the boot core through a remapping table of the I/O APIC's own: pin -> vector -> the same vector there.
// Every other pin stays masked for ever. Boot core only.
#pragma once

#include "hypervisor/core/machine.hpp"
#include "hypervisor/hw/amdvi.hpp"
#include "hypervisor/hw/io_apic.hpp"
#include "hypervisor/hw/mmio.hpp"

namespace casemate::core {

inline constexpr unsigned uart_pin = 3;
inline constexpr hw::IoApic host_io_apic{hw::MmioBus{HostPhys{0xfec00000}}}; // [82093AA 3.1]

/// All pins masked, ours routed. False when the I/O APIC does not answer or the IOMMU does not take its table.
[[nodiscard]] bool take_over_io_apic(Machine& machine, hw::AmdVi& iommu);

} // namespace casemate::core
