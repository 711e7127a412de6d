// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hw/pci_function.hpp"

#include "hypervisor/hw/pci_reset.hpp"

#include <algorithm>

namespace casemate::hw {

namespace {

constexpr unsigned max_capabilities = 48; // (256 - 64) bytes of at least 4 bytes each

Result<PciCapabilities, PciError> find_capabilities(PciBus& bus, DeviceAddress address) {
    PciCapabilities found;
    if (!(bus.read32(address, pci::command) & pci::status_capabilities)) return found;
    std::uint8_t offset = bus.read8(address, pci::capabilities) & 0xfc;
    for (unsigned step = 0; offset >= 0x40; ++step) {
        if (step == max_capabilities) return Failure{PciError::capability_loop};
        const std::uint16_t header = bus.read16(address, offset);
        switch (header & 0xff) {
        case pci::capability_power: found.power = offset; break;
        case pci::capability_msi: found.msi = offset; break;
        case pci::capability_express: found.express = offset; break;
        case pci::capability_msix: found.msix = offset; break;
        case pci::capability_vendor_specific:
            if (found.vendor_specific_count < found.vendor_specific.size())
                found.vendor_specific[found.vendor_specific_count++] = offset;
            break;
        default: break;
        }
        offset = header >> 8 & 0xfc;
    }
    return found;
}

std::uint32_t size_mask(PciBus& bus, DeviceAddress address, std::uint8_t offset) {
    const std::uint32_t old = bus.read32(address, offset);
    bus.write32(address, offset, ~0u);
    const std::uint32_t mask = bus.read32(address, offset);
    bus.write32(address, offset, old);
    return mask;
}

// [PCI 3.0 6.2.5.1]. Decoding must be off.
void size_bars(PciBus& bus, PciFunction& function) {
    for (std::size_t i = 0; i < pci::bar_count; ++i) {
        const auto offset = static_cast<std::uint8_t>(pci::base_address + 4 * i);
        const std::uint32_t low = function.bar_register[i];
        if (low & 1) continue;
        PciBar bar{.wide = (low >> 1 & 3) == 2, .prefetchable = (low >> 3 & 1) != 0};
        std::uint64_t mask = (size_mask(bus, function.address, offset) & ~0xfull) | 0xffffffff00000000;
        bar.range.base.value = low & ~0xfull;
        const std::size_t index = i;
        if (bar.wide && i + 1 < pci::bar_count) {
            ++i;
            bar.range.base.value |= std::uint64_t{function.bar_register[i]} << 32;
            const std::uint64_t high =
                size_mask(bus, function.address, static_cast<std::uint8_t>(offset + 4));
            mask = (mask & 0xffffffff) | high << 32;
        }
        if ((mask & 0xffffffff) == 0 && mask >> 32 == 0xffffffff && !bar.wide) continue; // not implemented
        if (mask != 0) bar.range.size = std::max(~mask + 1, page_size); // nothing smaller can be mapped
        function.bar[index] = bar;
    }
}

} // namespace

std::uint16_t PciBus::read16(DeviceAddress function, std::uint8_t offset) {
    return static_cast<std::uint16_t>(read32(function, offset & 0xfc) >> 8 * (offset & 2));
}

std::uint8_t PciBus::read8(DeviceAddress function, std::uint8_t offset) {
    return static_cast<std::uint8_t>(read32(function, offset & 0xfc) >> 8 * (offset & 3));
}

void PciBus::write16(DeviceAddress function, std::uint8_t offset, std::uint16_t value) {
    const unsigned shift = 8 * (offset & 2);
    const std::uint32_t other = read32(function, offset & 0xfc) & ~(0xffffu << shift);
    write32(function, offset & 0xfc, other | std::uint32_t{value} << shift);
}

Result<PciFunction, PciError> probe(PciBus& bus, DeviceAddress address) {
    const std::uint32_t id = bus.read32(address, pci::vendor);
    if ((id & 0xffff) == 0xffff) return Failure{PciError::absent};
    PciFunction function{.address = address};
    function.identity.vendor = static_cast<std::uint16_t>(id);
    function.identity.device = static_cast<std::uint16_t>(id >> 16);
    function.identity.class_code = bus.read32(address, pci::class_revision) >> 8;
    function.bridge = (bus.read8(address, pci::header_type) & 0x7f) != 0;
    function.capability = TRY(find_capabilities(bus, address));
    quiesce(bus, function);
    disable_msix(bus, function);
    if (function.bridge) return function;
    function.intx = !function.capability.msi && !function.capability.msix &&
                    bus.read8(address, pci::interrupt_pin) != 0 &&
                    (bus.read16(address, pci::command) & pci::command_intx_disable) != 0;
    const std::uint32_t subsystem = bus.read32(address, pci::subsystem);
    function.identity.subsystem_vendor = static_cast<std::uint16_t>(subsystem);
    function.identity.subsystem = static_cast<std::uint16_t>(subsystem >> 16);
    for (std::size_t i = 0; i < pci::bar_count; ++i)
        function.bar_register[i] = bus.read32(address, static_cast<std::uint8_t>(pci::base_address + 4 * i));
    const std::uint16_t decoding = pci::command_io | pci::command_memory;
    const std::uint16_t command = bus.read16(address, pci::command);
    set_command(bus, address, command & ~decoding);
    size_bars(bus, function);
    set_command(bus, address, command);
    return function;
}

} // namespace casemate::hw
