// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/assigned_device.hpp"

#include "hypervisor/hw/pci_reset.hpp"

#include <utility>

namespace casemate::devices {

namespace pci = hw::pci;

namespace {

constexpr std::uint16_t guest_command_bits =
    pci::command_memory | pci::command_master | pci::command_intx_disable;
// Capability lengths [PCI 3.0 6.8.1, 6.8.2; PCI-PM 3.2; PCIe 7.5.3]; where a vendor-specific one states its own.
constexpr unsigned power_length = 8, express_length = 0x3c, msix_length = 12, own_length_at = 2;
constexpr std::uint32_t function_level_reset = 1u << 28;
constexpr std::uint8_t express_device_capabilities = 4;
constexpr std::uint32_t pin_a = 1; // of the interrupt pin register

unsigned msi_length(std::uint16_t control) {
    const bool wide = control & 1 << 7;
    const bool masks = control & 1 << 8;
    return (wide ? 14u : 10u) + (masks ? 10u : 0u);
}

constexpr std::uint8_t flags(const hw::PciBar& bar) {
    return static_cast<std::uint8_t>((bar.wide ? BarRegisters::wide : 0) |
                                     (bar.prefetchable ? BarRegisters::prefetchable : 0));
}

constexpr std::uint32_t low_bits(unsigned width) { return width == 4 ? ~0u : (1u << 8 * width) - 1; }

} // namespace

std::optional<AssignedDevice> AssignedDevice::create(hw::PciBus& bus, const hw::PciFunction& function,
                                                     BarWindow& window) {
    AssignedDevice device{bus, function};
    for (std::size_t i = 0; i < pci::bar_count; ++i) {
        if (function.bar[i].range.size == 0) continue;
        const auto at = window.take(function.bar[i].range.size);
        if (!at) return {};
        device.bar_at_[i] = *at;
        device.bars_.define(i, at->value, function.bar[i].range.size, flags(function.bar[i]));
    }
    device.expose_capabilities();
    return device;
}

void AssignedDevice::expose_capabilities() {
    const hw::PciCapabilities& capability = function_->capability;
    if (capability.power) expose(capability.power, power_length, false);
    if (capability.msi) expose(capability.msi, msi_length(bus_->read16(address(), capability.msi + 2)), true);
    if (capability.express) expose(capability.express, express_length, false);
    if (capability.msix) expose(capability.msix, msix_length, true);
    for (const std::uint8_t at : std::span{capability.vendor_specific}.first(capability.vendor_specific_count))
        expose(at, bus_->read8(address(), static_cast<std::uint8_t>(at + own_length_at)), false);
}

// UNTRUSTED: offset and length are the function's own claim; a capability that would pass the end is cut.
void AssignedDevice::expose(std::uint8_t offset, unsigned length, bool writable) {
    const unsigned room = 256u - offset;
    const auto cut = static_cast<std::uint8_t>(length < room ? length : room);
    if (exposed_count_ > 0) exposed_[exposed_count_ - 1].next = offset;
    exposed_[exposed_count_++] = {.offset = offset, .length = cut, .writable = writable};
}

void AssignedDevice::restart() {
    used_ = false;
    bars_.reset();
    guest_command().store(0);
    cache_line_ = 0;
    postponed_ = false;
    line().store(function_->intx ? Line::open : Line::off);
}

// A function that is silent already may be interrupting all the same: whom it is silent for will hear of it.
AssignedDevice::Claim AssignedDevice::take_interrupt() {
    if (!function_->intx) return Claim::none;
    const std::uint32_t state = bus_->read32(address(), pci::command);
    if ((state & (pci::status_interrupt | pci::command_intx_disable)) != pci::status_interrupt) return Claim::none;
    Line expected = Line::open;
    const bool was_open = line().compare_exchange_strong(expected, Line::held);
    set_host_command();
    if (!was_open) return Claim::silenced;
    postponed_ = interrupts_ == interrupts_each_tick;
    if (postponed_) return Claim::silenced;
    ++interrupts_;
    return Claim::interrupt;
}

bool AssignedDevice::renew_interrupts() {
    interrupts_ = 0;
    return std::exchange(postponed_, false);
}

void AssignedDevice::end_interrupt() {
    Line expected = Line::held;
    if (line().compare_exchange_strong(expected, Line::open)) set_host_command();
}

std::uint32_t AssignedDevice::read_config(std::uint8_t offset, unsigned width) {
    if ((width != 1 && width != 2 && width != 4) || offset % width != 0) return ~0u;
    return read_dword(offset & 0xfc) >> 8 * (offset & 3) & low_bits(width);
}

std::uint32_t AssignedDevice::read_dword(std::uint8_t offset) {
    if (BarRegisters::contains(offset)) return bars_.read(offset);
    switch (offset) {
    case pci::vendor:
    case pci::class_revision:
    case pci::subsystem: return bus_->read32(address(), offset);
    case pci::command: return guest_command().load() | (exposed_count_ ? pci::status_capabilities : 0);
    case pci::interrupt_line: return function_->intx ? PciBus::interrupt_pin(address().device) | pin_a << 8 : 0;
    case pci::header_type & 0xfc:
        return (bus_->read32(address(), offset) & 0x0000ff00) | cache_line_; // single function, type 0
    case pci::capabilities: return exposed_count_ ? exposed_[0].offset : 0;
    default: return read_capability(offset);
    }
}

std::uint32_t AssignedDevice::read_capability(std::uint8_t offset) {
    for (std::size_t i = 0; i < exposed_count_; ++i) {
        const Exposed& part = exposed_[i];
        if (offset < (part.offset & 0xfc) || offset >= part.offset + part.length) continue;
        std::uint32_t value = bus_->read32(address(), offset);
        if (offset == part.offset) value = (value & 0xffff00ff) | std::uint32_t{part.next} << 8;
        if (part.offset == function_->capability.express &&
            offset == part.offset + express_device_capabilities)
            value &= ~function_level_reset;
        return value;
    }
    return 0;
}

void AssignedDevice::write_config(std::uint8_t offset, unsigned width, std::uint32_t value) {
    if ((width != 1 && width != 2 && width != 4) || offset % width != 0) return;
    if (BarRegisters::contains(offset))
        bars_.write(offset, width, value);
    else if (offset == pci::command && width >= 2)
        write_command(value);
    else if (offset == pci::cache_line_size)
        cache_line_ = static_cast<std::uint8_t>(value); // some drivers insist on one: it is the guest's to see
    else
        write_capability(offset, width, value);
}

void AssignedDevice::write_command(std::uint32_t value) {
    guest_command().store(static_cast<std::uint16_t>(value & guest_command_bits));
    if ((value & (pci::command_memory | pci::command_master)) != 0) used_ = true;
    set_host_command();
}

// The host decodes memory whatever the guest says.
unsigned AssignedDevice::host_command() {
    const unsigned command = guest_command().load() & (pci::command_master | pci::command_intx_disable);
    return command | pci::command_memory | (line().load() == Line::open ? 0u : pci::command_intx_disable);
}

// ORDER: whichever core writes last, what both have said by then is in the register.
void AssignedDevice::set_host_command() {
    unsigned written;
    do {
        written = host_command();
        hw::set_command(*bus_, address(), written);
    } while (written != host_command());
}

void AssignedDevice::write_capability(std::uint8_t offset, unsigned width, std::uint32_t value) {
    for (std::size_t i = 0; i < exposed_count_; ++i) {
        const Exposed& part = exposed_[i];
        if (!part.writable || offset < part.offset + 2 || offset + width > part.offset + part.length)
            continue;
        const std::uint8_t dword = offset & 0xfc;
        const unsigned shift = 8 * (offset & 3);
        const std::uint32_t kept = bus_->read32(address(), dword) & ~(low_bits(width) << shift);
        bus_->write32(address(), dword, kept | (value & low_bits(width)) << shift);
        return;
    }
}

} // namespace casemate::devices
