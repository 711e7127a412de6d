// SPDX-License-Identifier: Apache-2.0
// Finds every PCI function of the machine, silences it, and makes a slot for each device of the policy that
// is really there, is what the policy says, and whose BARs lie where no harm can come from them. Everything
// else keeps the state it has after this: bus master off, deny entry, BARs mapped nowhere, for ever.
#pragma once

#include "hypervisor/core/device_slot.hpp"
#include "hypervisor/core/machine.hpp"
#include "policy/model/policy.hpp"

namespace casemate::core {

class DeviceInventory {
public:
    /// Once, at boot, before any device is attached. Refusals are on the console; they are no error.
    void build(Machine& machine, HostBuses& buses, const policy::Policy& policy);

    /// Nothing when the device of that index is missing or was refused.
    [[nodiscard]] DeviceSlot* slot(std::size_t policy_index) const { return slots_[policy_index]; }

private:
    enum class Refusal : std::uint8_t { missing, other_identity, bridge, placement, no_room, reset_kind };

    /// One BAR of a function of the machine.
    struct Bar {
        DeviceAddress owner;
        HostRange range;
    };
    static constexpr std::size_t max_bars = 256;

    void survey(hw::PciBus& pci);
    Result<DeviceSlot*, Refusal> make_slot(Machine& machine, HostBuses& buses, const policy::Device& rule);
    [[nodiscard]] bool placed_well(Machine& machine, const hw::PciFunction& function) const;

    std::array<DeviceSlot*, policy::max_devices> slots_{};
    std::array<Bar, max_bars> bars_{};
    std::size_t bar_count_ = 0;
    bool complete_ = true; // false: more BARs than the table holds; then no placement can be trusted
    // Where BARs appear in every VM: inside the PCI window that its ACPI announces, above the control window.
    devices::BarWindow window_{{0xe0000000}, 0x10000000};
};

} // namespace casemate::core
