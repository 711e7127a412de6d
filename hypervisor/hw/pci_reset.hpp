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

/// Bus master off, INTx off, MSI off, MSI-X masked. Not off: a function that throttles its interrupts may be about to send
/// one, and QEMU's e1000e takes the whole machine down when it then finds MSI-X off.
void quiesce(PciBus& bus, const PciFunction& function);
/// For a function that was quiet for long enough to have nothing to send any more: when it is found, and before a new holder.
void disable_msix(PciBus& bus, const PciFunction& function);

void allow_bus_master(PciBus& bus, const PciFunction& function);

/// The best reset that the function has.
ResetKind reset_kind(PciBus& bus, const PciFunction& function);

/// One function level reset in steps, so that the machine goes on meanwhile [PCIe 6.6.2]:
///   PENDING --no transactions--> RESETTING --100 ms--> RETURNING --answers--> DONE, BARs restored
///      \--time-out--> FAILED                 \--time-out--> FAILED
/// In DONE the function decodes memory, bus master and INTx are off. Refused at once when there is no reset.
class FunctionReset {
public:
    enum class State : std::uint8_t { pending, resetting, returning, done, failed };

    static Result<FunctionReset, PciError> start(PciBus& bus, const Clock& clock,
                                                 const PciFunction& function);

    /// Does what is due and never waits; call it until done or failed.
    State step();

private:
    FunctionReset(PciBus& bus, const Clock& clock, const PciFunction& function, Deadline deadline)
        : bus_{&bus}, clock_{&clock}, function_{&function}, deadline_{deadline} {}
    void initiate();
    void restore();

    PciBus* bus_;
    const Clock* clock_;
    const PciFunction* function_;
    Deadline deadline_;
    State state_ = State::pending;
};

} // namespace casemate::hw
