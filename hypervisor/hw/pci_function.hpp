// SPDX-License-Identifier: Apache-2.0
// One PCI function of the host: identity, capabilities and base address registers, read from its
// configuration space. UNTRUSTED: what a function says about itself; every walk is bounded and every range is
// checked before use (pci_placement.hpp). Not for the configuration space that a guest sees: see
// devices/assigned_device.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/device_address.hpp"
#include "hypervisor/base/result.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace casemate::hw {

/// Segment 0 only: configuration mechanism 1 reaches no other.
constexpr DeviceAddress device_at(std::uint16_t requester) {
    return {.bus = static_cast<std::uint8_t>(requester >> 8),
            .device = static_cast<std::uint8_t>(requester >> 3 & 31),
            .function = static_cast<std::uint8_t>(requester & 7)};
}

/// Access to configuration space: the host's ports, or a test's model. `offset` is a multiple of 4, below
/// 256.
class PciBus {
public:
    [[nodiscard]] virtual std::uint32_t read32(DeviceAddress function, std::uint8_t offset) = 0;
    virtual void write32(DeviceAddress function, std::uint8_t offset, std::uint32_t value) = 0;
    [[nodiscard]] std::uint16_t read16(DeviceAddress function, std::uint8_t offset);
    [[nodiscard]] std::uint8_t read8(DeviceAddress function, std::uint8_t offset);
    /// Writes two bytes and leaves the other two as they read; not where the neighbour is write-1-to-clear.
    void write16(DeviceAddress function, std::uint8_t offset, std::uint16_t value);

protected:
    ~PciBus() = default;
};

/// Offsets and bits of the header [PCI 3.0 6.1, 6.2].
namespace pci {
inline constexpr std::uint8_t vendor = 0x00, command = 0x04, class_revision = 0x08, cache_line_size = 0x0c,
                              header_type = 0x0e;
inline constexpr std::uint8_t base_address = 0x10, subsystem = 0x2c, capabilities = 0x34,
                              interrupt_line = 0x3c, interrupt_pin = 0x3d;
inline constexpr std::uint16_t command_io = 1 << 0, command_memory = 1 << 1, command_master = 1 << 2;
inline constexpr std::uint16_t command_intx_disable = 1 << 10;
inline constexpr std::uint32_t status_interrupt = 1u << 19, status_capabilities = 1u << 20; // in the command/status word
inline constexpr std::uint8_t capability_power = 0x01, capability_msi = 0x05, capability_express = 0x10;
inline constexpr std::uint8_t capability_vendor_specific = 0x09, capability_msix = 0x11;
inline constexpr std::size_t bar_count = 6;
} // namespace pci

struct PciIdentity {
    std::uint16_t vendor = 0, device = 0, subsystem_vendor = 0, subsystem = 0;
    std::uint32_t class_code = 0; // 24 bits
    constexpr bool operator==(const PciIdentity&) const = default;
};

/// Offsets in configuration space; 0 = the function has none.
struct PciCapabilities {
    std::uint8_t power = 0, msi = 0, express = 0, msix = 0;
    std::array<std::uint8_t, 6> vendor_specific{}; // the first ones; virtio has five [VIRTIO 4.1.4]
    std::size_t vendor_specific_count = 0;
};

/// A memory base address register; `size` 0 = unused (or an I/O range, or the upper half of the one before). One smaller than a
/// page counts as a page: whoever gets it gets what else the page holds, so nothing else may (pci_placement.hpp).
struct PciBar {
    HostRange range{};
    bool wide = false; // 64 bits
    bool prefetchable = false;
};

struct PciFunction {
    DeviceAddress address{};
    PciIdentity identity{};
    bool bridge = false;
    bool intx = false; // has no messages, but a line that the command register silences
    PciCapabilities capability{};
    std::array<PciBar, pci::bar_count> bar{};
    std::array<std::uint32_t, pci::bar_count>
        bar_register{}; // as the firmware left them, for restore after a reset
};

enum class PciError {
    absent = 1,      // no function answers
    capability_loop, // the capability list does not end
    wrong_place,     // a BAR lies outside the MMIO windows or over something that it must not touch
    reset_failed,    // pending transactions do not end, or the function does not come back
    no_reset,        // no reset that we know
};

/// Reads everything about one function and switches it off: bus master, decoding of BARs while they are
/// sized, MSI, MSI-X and INTx. BAR decoding is restored.
Result<PciFunction, PciError> probe(PciBus& bus, DeviceAddress address);

/// Calls `visit(DeviceAddress)` for each function that answers, in address order; at most 65,536 reads.
template <typename Visit>
void enumerate(PciBus& bus, Visit&& visit) {
    for (unsigned id = 0; id < 0x10000; ++id) {
        const DeviceAddress address = device_at(static_cast<std::uint16_t>(id));
        const bool absent = (bus.read32(address, pci::vendor) & 0xffff) == 0xffff;
        if (!absent) visit(address);
        const bool single =
            address.function == 0 && (absent || !(bus.read8(address, pci::header_type) & 0x80));
        if (single) id += 7;
    }
}

} // namespace casemate::hw
