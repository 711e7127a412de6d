// SPDX-License-Identifier: Apache-2.0
// Configuration space of the host by mechanism 1, ports CF8 and CFC [PCI 3.0 3.2.2.3.2]. One user at a time: the
// address port is shared state. Used by launcher and SLB (one processor runs) and by the hypervisor under its lock.
#pragma once

#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/hw/pci_function.hpp"

namespace casemate::hw {

class PortPciBus final : public PciBus {
public:
    [[nodiscard]] std::uint32_t read32(DeviceAddress function, std::uint8_t offset) override {
        select(function, offset);
        return arch::in32(data_port);
    }
    void write32(DeviceAddress function, std::uint8_t offset, std::uint32_t value) override {
        select(function, offset);
        arch::out32(data_port, value);
    }

private:
    static constexpr std::uint16_t address_port = 0xcf8, data_port = 0xcfc;
    static constexpr std::uint32_t enable = 1u << 31;

    static void select(DeviceAddress function, std::uint8_t offset) {
        arch::out32(address_port, enable | std::uint32_t{function.requester_id()} << 8 | (offset & 0xfcu));
    }
};

} // namespace casemate::hw
