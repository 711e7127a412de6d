// SPDX-License-Identifier: Apache-2.0
// Taking a function out of use and bringing it back to its power-on state, between two owners.
// quiesce() first, always: besides fencing, it keeps a driver's armed timers from meeting a half-reset
// function.
#pragma once

#include "hypervisor/hw/clock.hpp"
#include "hypervisor/hw/pci_function.hpp"

namespace casemate::hw {

/// As in the ledger [docs/interfaces/ledger.md, reset kind].
enum class ResetKind : std::uint8_t { none = 0, flr = 1, secondary_bus = 2, own_register = 3 };

/// The status half is write-1-to-clear: it is written as zero and so left alone.
void set_command(PciBus& bus, DeviceAddress address, unsigned command);

/// Bus master off, INTx off, MSI off, MSI-X off.
void quiesce(PciBus& bus, const PciFunction& function);

void allow_bus_master(PciBus& bus, const PciFunction& function);

/// The best reset that the function has.
ResetKind reset_kind(PciBus& bus, const PciFunction& function);

/// Performs reset_kind(), waits as the specification asks, and restores the BARs; decoding of memory is on,
/// bus master off. Refuses with no_reset when there is none.
Status<PciError> reset(PciBus& bus, const Clock& clock, const PciFunction& function);

} // namespace casemate::hw
