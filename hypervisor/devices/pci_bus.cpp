// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/pci_bus.hpp"

#include <algorithm>

namespace casemate::devices {
namespace {

constexpr std::uint16_t config_address = 0xCF8, config_data = 0xCFC;
constexpr std::uint32_t address_enable = 1u << 31;
constexpr std::uint32_t host_bridge_id = 0x0008CA5E; // vendor CA5Eh as the control device, device 8
constexpr std::uint32_t class_host_bridge = 0x06000000;

constexpr std::uint32_t all_ones(unsigned width) { return width == 4 ? ~0u : (1u << 8 * width) - 1; }

} // namespace

bool PciBus::attach(unsigned device, unsigned function, PciFunction& handler) {
    if (device == 0 || device >= 32 || function >= 8 || functions_[device * 8 + function] != nullptr)
        return false;
    functions_[device * 8 + function] = &handler;
    return true;
}

void PciBus::detach(unsigned device, unsigned function) {
    if (device < 32 && function < 8) functions_[device * 8 + function] = nullptr;
}

void PciBus::end_interrupt(unsigned pin) {
    for (unsigned id = 0; id < functions_.size(); ++id)
        if (interrupt_pin(id / 8) == pin && functions_[id] != nullptr) functions_[id]->end_interrupt();
}

bool PciBus::selects_bus_0() const {
    return (address_ & address_enable) != 0 && (address_ >> 16 & 0xff) == 0;
}

PciFunction* PciBus::selected() const { return functions_[address_ >> 8 & 0xff]; }

std::uint32_t PciBus::host_bridge(std::uint8_t offset, unsigned width) {
    const std::uint32_t word = (offset & ~3) == 0   ? host_bridge_id
                               : (offset & ~3) == 8 ? class_host_bridge
                                                    : 0;
    return word >> 8 * (offset & 3) & all_ones(width);
}

bool PciBus::in_use() const {
    return std::ranges::any_of(functions_, [](const PciFunction* each) { return each != nullptr && each->in_use(); });
}

bool PciBus::has_lines() const {
    return std::ranges::any_of(functions_, [](const PciFunction* each) { return each != nullptr && each->has_line(); });
}

std::uint32_t PciBus::read_port(std::uint16_t port, unsigned width) {
    if (port == config_address && width == 4) return address_;
    if (port < config_data || !selects_bus_0()) return all_ones(width);
    const auto offset = static_cast<std::uint8_t>((address_ & 0xFC) | (port & 3));
    if ((address_ & 0xff00) == 0) return host_bridge(offset, width);
    PciFunction* const function = selected();
    if (function == nullptr || offset % width != 0) return all_ones(width);
    return function->read_config(offset, width);
}

void PciBus::write_port(std::uint16_t port, unsigned width, std::uint32_t value) {
    if (port == config_address && width == 4) {
        address_ = value & ~3u;
        return;
    }
    if (port < config_data || !selects_bus_0()) return;
    const auto offset = static_cast<std::uint8_t>((address_ & 0xFC) | (port & 3));
    PciFunction* const function = selected();
    if (function != nullptr && offset % width == 0) function->write_config(offset, width, value);
}

} // namespace casemate::devices
