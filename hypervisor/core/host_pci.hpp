// SPDX-License-Identifier: Apache-2.0
// The host's configuration space for all cores: an access selects an address and moves data, two steps on
// shared ports, under a lock. And the host's clock in the form that hypervisor/hw asks for.
#pragma once

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/hw/clock.hpp"
#include "hypervisor/hw/pci_config.hpp"

namespace casemate::core {

class HostPci final : public hw::PciBus {
public:
    std::uint32_t read32(DeviceAddress function, std::uint8_t offset) override {
        const LockGuard guard{lock_};
        return ports_.read32(function, offset);
    }
    void write32(DeviceAddress function, std::uint8_t offset, std::uint32_t value) override {
        const LockGuard guard{lock_};
        ports_.write32(function, offset, value);
    }

private:
    SpinLock lock_;
    hw::PortPciBus ports_;
};

class HostClock final : public hw::Clock {
public:
    [[nodiscard]] hw::Micros now() const override {
        const std::uint64_t tsc = arch::read_tsc();
        const std::uint64_t khz = arch::clock_rates().tsc_khz;
        return {tsc / khz * 1000 + tsc % khz * 1000 / khz};
    }
};

} // namespace casemate::core
