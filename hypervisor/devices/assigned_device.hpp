// SPDX-License-Identifier: Apache-2.0
// The configuration space of an assigned function, as its VM sees it at the same bus/device/function.
// Invariant: nothing that the guest writes here moves a BAR, changes what the host decodes, resets the
// function or changes its power state. Let through: memory decode (seen, not acted on), bus master, and the
// MSI and MSI-X capabilities. They are safe in the guest's hands because interrupt remapping admits its own
// vectors only. Vendor-specific capabilities (virtio finds its registers by them) can be read. No I/O
// BARs, no extended configuration space. UNTRUSTED: every offset, width and value.
//
// INTx, for a function that has nothing else:
//   OFF --restart()--> OPEN --it interrupts: take_interrupt()--> HELD --the guest has ended it: end_interrupt()--> OPEN
//    '<---------------------------------------- shut_line(), from each -----------------------------------------'
// Invariant: the function's INTx is disabled unless OPEN, and unless its guest wants it so.
#pragma once

#include "hypervisor/devices/bar_registers.hpp"
#include "hypervisor/devices/pci_bus.hpp"
#include "hypervisor/hw/pci_function.hpp"

#include <atomic>
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
    [[nodiscard]] bool has_line() const override { return function_->intx; }
    /// Forgets what the former guest wrote, before a new one starts.
    void restart();

    enum class Claim : std::uint8_t { none, silenced, interrupt };
    static constexpr unsigned interrupts_each_tick = 100; // 5,000 a second; each costs the boot core some 10 us
    /// Boot core: whether the function interrupts by INTx. If so it is silent from here on. `interrupt`: its guest must get it.
    [[nodiscard]] Claim take_interrupt();
    /// Boot core, each tick. True when the guest must get an interrupt now that came after too many others.
    [[nodiscard]] bool renew_interrupts();
    void end_interrupt() override;
    void shut_line() { line().store(Line::off); }

    /// Calls `visit(GuestPhys, HostRange)` for each BAR.
    template <typename Visit>
    void for_each_bar(Visit&& visit) const {
        for (std::size_t i = 0; i < hw::pci::bar_count; ++i)
            if (function_->bar[i].range.size != 0) visit(bar_at_[i], function_->bar[i].range);
    }

private:
    enum class Line : std::uint8_t { off, open, held };
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
    [[nodiscard]] unsigned host_command();
    void set_host_command();
    // Shared by the guest's core and the boot core.
    std::atomic_ref<Line> line() { return std::atomic_ref{line_}; }
    std::atomic_ref<std::uint16_t> guest_command() { return std::atomic_ref{command_}; }
    void write_capability(std::uint8_t offset, unsigned width, std::uint32_t value);

    hw::PciBus* bus_;
    const hw::PciFunction* function_;
    std::array<GuestPhys, hw::pci::bar_count> bar_at_{};
    BarRegisters bars_;
    std::array<Exposed, max_exposed> exposed_{};
    std::size_t exposed_count_ = 0;
    std::uint16_t command_ = 0;
    bool used_ = false; // memory decode or bus master was on
    std::uint8_t cache_line_ = 0;
    Line line_ = Line::off;
    unsigned interrupts_ = 0; // in this tick
    bool postponed_ = false;  // one that was too many
};

} // namespace casemate::devices
