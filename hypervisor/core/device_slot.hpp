// SPDX-License-Identifier: Apache-2.0
// One device of the policy on this machine: the hardware side of its custody.
//
//   FENCED --attach(vm)--> ATTACHED --fence()--> fenced, still visible --release()--> FENCED
//
// Invariant: outside ATTACHED no DMA and no interrupt of the device gets through and its bus master is off;
// its BARs are mapped into one VM at most, and into none after release(). Boot core only. Which step is
// allowed when is for hypervisor/custody to say, not for this class.
#pragma once

#include "hypervisor/core/vm.hpp"
#include "hypervisor/devices/assigned_device.hpp"
#include "hypervisor/hw/amdvi.hpp"
#include "hypervisor/hw/amdvi_interrupts.hpp"
#include "hypervisor/hw/pci_reset.hpp"

#include <optional>

namespace casemate::core {

/// What every slot works with; lives as long as the machine.
struct HostBuses {
    hw::PciBus& pci;
    hw::AmdVi& iommu;
    const hw::Clock& clock;
};

class DeviceSlot {
public:
    enum class Reset : std::uint8_t { running, worked, failed };

    DeviceSlot(HostBuses& buses, const hw::PciFunction& function, hw::InterruptTable& interrupts)
        : buses_{buses}, function_{function}, interrupts_{interrupts} {}

    /// Gives the device its place in guest address space; once, before anything else. False: no room.
    [[nodiscard]] bool place(devices::BarWindow& window);

    [[nodiscard]] const hw::PciFunction& function() const { return function_; }
    [[nodiscard]] const Vm* holder() const { return holder_; }
    [[nodiscard]] bool fenced() const { return fenced_; }
    [[nodiscard]] hw::ResetKind reset_kind() const { return hw::reset_kind(buses_.pci, function_); }

    /// A running VM finds the device when it looks at its bus again. On failure (no memory for page tables,
    /// another bus than 0) the device is fenced and released.
    [[nodiscard]] bool attach(Vm& vm);
    /// No DMA and no interrupt from here on, even if the VM still runs.
    void fence();
    /// Asks the function whether it interrupts by INTx; if so it is silent now, and its holder gets the interrupt.
    bool take_interrupt();
    /// Each tick: whether a VM holds a function with INTx here.
    bool tend_interrupt();
    /// Takes BARs and configuration space away. The VM is not running; the device is fenced.
    void release();

    /// Fenced devices only. False when the device has no reset that we know.
    [[nodiscard]] bool start_reset();
    Reset step_reset();

private:
    [[nodiscard]] bool map_bars(Vm& vm);
    void pass_interrupt();
    void require(const Status<hw::IommuError>& status) const;

    HostBuses& buses_;
    hw::PciFunction function_;
    hw::InterruptTable& interrupts_;
    std::optional<devices::AssignedDevice> view_;
    std::optional<hw::FunctionReset> reset_;
    Vm* holder_ = nullptr;
    bool fenced_ = true;
};

} // namespace casemate::core
