// SPDX-License-Identifier: Apache-2.0
// The configuration space of an assigned function, as its VM sees it at the same bus/device/function.
// Invariant: nothing that the guest writes here moves a BAR, changes what the host decodes, resets the
// function or changes its power state. Let through: memory decode (seen, not acted on), bus master, and the
// MSI and MSI-X capabilities. They are safe in the guest's hands because interrupt remapping admits its own
// vectors only. Vendor-specific capabilities (virtio finds its registers by them) can be read. No INTx, no I/O
// BARs, no extended configuration space. UNTRUSTED: every offset, width and value.
#pragma once

#include "hypervisor/devices/bar_registers.hpp"
#include "hypervisor/devices/pci_bus.hpp"
#include "hypervisor/hw/pci_function.hpp"

#include <optional>

namespace casemate::devices {

/// Hands out guest addresses for BARs, each aligned to its size.
class BarWindow {
public:
    constexpr explicit BarWindow(GuestPhys base, std::uint64_t size) : next_{base}, end_{base + size} {}
    /// Nothing when the window is used up.
    constexpr std::optional<GuestPhys> take(std::uint64_t size) {
        const std::uint64_t aligned = (next_.value + size - 1) & ~(size - 1);
        if (size == 0 || aligned < next_.value || size > end_.value || aligned > end_.value - size) return {};
        next_ = {aligned + size};
        return GuestPhys{aligned};
    }

private:
    GuestPhys next_;
    GuestPhys end_;
};

class AssignedDevice final : public PciFunction {
public:
    /// Nothing when the window has no room. Both references must outlive the device.
    static std::optional<AssignedDevice> create(hw::PciBus& bus, const hw::PciFunction& function,
                                                BarWindow& window);

    [[nodiscard]] DeviceAddress address() const { return function_->address; }
    /// `width` is 1, 2 or 4 and the access does not cross a dword; anything else reads ones and writes
    /// nothing.
    std::uint32_t read_config(std::uint8_t offset, unsigned width) override;
    void write_config(std::uint8_t offset, unsigned width, std::uint32_t value) override;
    [[nodiscard]] bool in_use() const override { return used_; }
    /// Forgets what the former guest wrote, before a new one starts.
    void restart();

    /// Calls `visit(GuestPhys, HostRange)` for each BAR.
    template <typename Visit>
    void for_each_bar(Visit&& visit) const {
        for (std::size_t i = 0; i < hw::pci::bar_count; ++i)
            if (function_->bar[i].range.size != 0) visit(bar_at_[i], function_->bar[i].range);
    }

private:
    struct Exposed {
        std::uint8_t offset = 0, length = 0, next = 0;
        bool writable = false;
    };
    static constexpr std::size_t max_exposed = 4 + hw::PciCapabilities{}.vendor_specific.size();

    AssignedDevice(hw::PciBus& bus, const hw::PciFunction& function) : bus_{&bus}, function_{&function} {}
    void expose(std::uint8_t offset, unsigned length, bool writable);
    void expose_capabilities();
    [[nodiscard]] std::uint32_t read_dword(std::uint8_t offset);
    [[nodiscard]] std::uint32_t read_capability(std::uint8_t offset);
    void write_command(std::uint32_t value);
    void write_capability(std::uint8_t offset, unsigned width, std::uint32_t value);

    hw::PciBus* bus_;
    const hw::PciFunction* function_;
    std::array<GuestPhys, hw::pci::bar_count> bar_at_{};
    BarRegisters bars_;
    std::array<Exposed, max_exposed> exposed_{};
    std::size_t exposed_count_ = 0;
    std::uint16_t command_ = 0;
    bool used_ = false; // memory decode or bus master was on
};

} // namespace casemate::devices
