// SPDX-License-Identifier: Apache-2.0
// Gives the second UART (ports 2F8-2FF, ISA interrupt 3) to the agent VM, the only legacy device that any VM
// owns. Its interrupt goes through the remapped I/O APIC: pin 3, edge -> entry of the I/O APIC's own table ->
// the host vector of the management UART on the agent's core -> pin 3 of the agent's virtual I/O APIC
// (core/cpu.cpp). Every other pin of the host's I/O APIC stays masked. Once, at boot.
#pragma once

#include "hypervisor/core/machine.hpp"
#include "hypervisor/hw/amdvi.hpp"

namespace casemate::core {

/// False when the I/O APIC does not answer or the IOMMU does not take the entry; then the UART stays
/// unreachable.
[[nodiscard]] bool give_management_uart(Machine& machine, hw::AmdVi& iommu, Vm& agent);

} // namespace casemate::core
