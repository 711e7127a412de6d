// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hw/pci_reset.hpp"

namespace casemate::hw {

namespace {

// PCI Express capability [PCIe 7.5.3].
constexpr std::uint8_t device_capabilities = 0x04, device_control = 0x08, device_status = 0x0a;
constexpr std::uint32_t function_level_reset = 1u << 28;
constexpr std::uint16_t initiate_flr = 1 << 15;
constexpr std::uint16_t transactions_pending = 1 << 5;
// MSI and MSI-X capabilities [PCI 3.0 6.8].
constexpr std::uint8_t message_control = 0x02;
constexpr std::uint16_t msi_enable = 1 << 0;
constexpr std::uint16_t msix_mask_all = 1 << 14;

constexpr Micros pending_limit{100'000};
constexpr Micros flr_time{100'000}; // [PCIe 6.6.2]
constexpr Micros return_limit{1'000'000};

std::uint8_t at(std::uint8_t capability, std::uint8_t offset) {
    return static_cast<std::uint8_t>(capability + offset);
}

} // namespace

void set_command(PciBus& bus, DeviceAddress address, unsigned command) {
    bus.write32(address, pci::command, command & 0xffff);
}

void quiesce(PciBus& bus, const PciFunction& function) {
    const unsigned command = bus.read16(function.address, pci::command);
    set_command(bus, function.address,
                (command & ~unsigned{pci::command_master}) | pci::command_intx_disable);
    if (const std::uint8_t msi = function.capability.msi) {
        const std::uint16_t control = bus.read16(function.address, at(msi, message_control));
        bus.write16(function.address, at(msi, message_control), control & ~msi_enable);
    }
    if (const std::uint8_t msix = function.capability.msix) {
        const std::uint16_t control = bus.read16(function.address, at(msix, message_control));
        bus.write16(function.address, at(msix, message_control), control | msix_mask_all);
    }
}

void disable_msix(PciBus& bus, const PciFunction& function) {
    if (const std::uint8_t msix = function.capability.msix)
        bus.write16(function.address, at(msix, message_control), msix_mask_all);
}

void allow_bus_master(PciBus& bus, const PciFunction& function) {
    set_command(bus, function.address, bus.read16(function.address, pci::command) | pci::command_master);
}

ResetKind reset_kind(PciBus& bus, const PciFunction& function) {
    const std::uint8_t express = function.capability.express;
    if (!express) return ResetKind::none;
    const bool flr =
        (bus.read32(function.address, at(express, device_capabilities)) & function_level_reset) != 0;
    return flr ? ResetKind::flr : ResetKind::none;
}

Result<FunctionReset, PciError> FunctionReset::start(PciBus& bus, const Clock& clock,
                                                     const PciFunction& function) {
    if (reset_kind(bus, function) != ResetKind::flr) return Failure{PciError::no_reset};
    quiesce(bus, function);
    FunctionReset reset{bus, clock, function, {clock, pending_limit}};
    reset.step();
    return reset;
}

FunctionReset::State FunctionReset::step() {
    const DeviceAddress address = function_->address;
    const std::uint32_t id = std::uint32_t{function_->identity.device} << 16 | function_->identity.vendor;
    switch (state_) {
    case State::pending:
        if (!(bus_->read16(address, at(function_->capability.express, device_status)) & transactions_pending))
            initiate();
        else if (deadline_.passed())
            state_ = State::failed;
        break;
    case State::resetting:
        if (!deadline_.passed()) break;
        state_ = State::returning;
        deadline_ = {*clock_, return_limit};
        [[fallthrough]];
    case State::returning:
        if (bus_->read32(address, pci::vendor) == id)
            restore();
        else if (deadline_.passed())
            state_ = State::failed;
        break;
    case State::done:
    case State::failed: break;
    }
    return state_;
}

void FunctionReset::initiate() {
    const std::uint8_t offset = at(function_->capability.express, device_control);
    const std::uint32_t control = bus_->read16(function_->address, offset);
    bus_->write32(function_->address, offset, control | initiate_flr); // status half: 0
    deadline_ = {*clock_, flr_time};
    state_ = State::resetting;
}

void FunctionReset::restore() {
    for (std::size_t i = 0; i < pci::bar_count; ++i)
        bus_->write32(function_->address, static_cast<std::uint8_t>(pci::base_address + 4 * i),
                      function_->bar_register[i]);
    set_command(*bus_, function_->address, pci::command_memory | pci::command_intx_disable);
    state_ = State::done;
}

} // namespace casemate::hw
