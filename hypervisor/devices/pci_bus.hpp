// SPDX-License-Identifier: Apache-2.0
// A VM's PCI bus 0: configuration mechanism #1 (ports CF8, CFC) [PCI 3.2.2.3.2] and a synthetic host bridge at 00:00.0.
// Virtual and assigned functions register here; all other functions read FF and ignore writes.
// No ECAM: the guest's ACPI has no MCFG, so Linux uses the ports.
#pragma once

#include "hypervisor/devices/io_bus.hpp"

#include <array>

namespace casemate::devices {

/// One function's configuration space as its VM sees it; offset is 0..255, accesses are aligned to their width.
class PciFunction {
public:
    virtual std::uint32_t read_config(std::uint8_t offset, unsigned width) = 0;
    virtual void write_config(std::uint8_t offset, unsigned width, std::uint32_t value) = 0;
    /// Its VM has begun to use it: it has a state beyond its configuration space.
    [[nodiscard]] virtual bool in_use() const { return false; }
    /// It interrupts by INTx.
    [[nodiscard]] virtual bool has_line() const { return false; }
    /// The guest has ended the interrupt of the I/O APIC pin that the function's INTx reaches.
    virtual void end_interrupt() {}

protected:
    ~PciFunction() = default;
};

class PciBus final : public PortDevice {
public:
    static constexpr std::uint16_t first_port = 0xCF8;
    static constexpr std::uint16_t port_count = 8;
    static constexpr unsigned first_pin = 16, pin_count = 8;

    /// False when the slot is taken or out of range (device 0 is the host bridge).
    [[nodiscard]] bool attach(unsigned device, unsigned function, PciFunction& handler);
    void detach(unsigned device, unsigned function);
    /// Any function of the VM is.
    [[nodiscard]] bool in_use() const;
    [[nodiscard]] bool has_lines() const;

    /// Where the guest's ACPI says that INTA of this device arrives (acpi_bytecode.hpp, _PRT): several devices may share it.
    static constexpr unsigned interrupt_pin(unsigned device) { return first_pin + device % pin_count; }
    /// The guest has ended the interrupt of a pin.
    void end_interrupt(unsigned pin);

    std::uint32_t read_port(std::uint16_t port, unsigned width) override;
    void write_port(std::uint16_t port, unsigned width, std::uint32_t value) override;

private:
    [[nodiscard]] bool selects_bus_0() const;
    [[nodiscard]] PciFunction* selected() const;
    [[nodiscard]] static std::uint32_t host_bridge(std::uint8_t offset, unsigned width);

    std::uint32_t address_ = 0;
    std::array<PciFunction*, 32 * 8> functions_{};
};

} // namespace casemate::devices
