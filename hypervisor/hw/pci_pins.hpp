// SPDX-License-Identifier: Apache-2.0
// The pins of the host's I/O APIC that PCI's INTx lines reach, 16 to 23. Which function drives which pin is nowhere to be
// read without executing the firmware's ACPI code, and several may share one. So all of them are open or none, and whoever
// has interrupted is found by asking the functions, each of which is silenced by itself [PCI 3.0 6.2.2, 6.2.3].
//   open --interrupt that a function owned up to--> open    --interrupt of nobody--> masked --the next tick--> open
// Invariant: masked unless a VM holds a function with INTx. A line that nobody owns up to, or one that comes and goes faster
// than we look, costs one interrupt a tick.
#pragma once

#include "hypervisor/hw/io_apic.hpp"

namespace casemate::hw {

template <typename Bus>
class PciPins {
public:
    static constexpr unsigned first = 16, count = 8;

    constexpr explicit PciPins(IoApic<Bus> io_apic) : io_apic_{io_apic} {}

    /// Every function was asked; `claimed`: at least one was interrupting and is silent now.
    void on_interrupt(unsigned line, bool claimed) {
        if (claimed) return io_apic_.end(first + line);
        io_apic_.mask(first + line);
        open_ &= ~(1u << line);
    }
    /// Each tick. `wanted`: a VM holds a function with INTx.
    void tend(bool wanted) {
        const unsigned target = wanted ? (1u << count) - 1 : 0;
        for (unsigned line = 0; line < count; ++line) {
            if (((target ^ open_) >> line & 1) == 0) continue;
            if (wanted) io_apic_.reopen(first + line);
            else io_apic_.mask(first + line);
        }
        open_ = target;
    }

private:
    IoApic<Bus> io_apic_;
    unsigned open_ = 0; // a bit a line
};

} // namespace casemate::hw
