// SPDX-License-Identifier: Apache-2.0
// A virtual I/O APIC, 24 pins, edge-triggered use only (the two UARTs) [82093AA 3.0].
#pragma once

#include "hypervisor/devices/io_bus.hpp"
#include "hypervisor/devices/platform_host.hpp"

namespace casemate::devices {

class IoApic final : public MemoryDevice {
public:
    static constexpr std::uint64_t base = 0xFEC00000, size = 0x1000;
    static constexpr unsigned pins = 24;

    explicit IoApic(PlatformHost& host) : host_{host} { reset(); }
    void reset();

    /// A rising edge on a pin: an interrupt if the guest has unmasked it.
    void raise(unsigned pin);
    /// The interrupt vector of a pin that the guest has unmasked.
    [[nodiscard]] std::optional<std::uint8_t> open_vector(unsigned pin) const;

    std::uint64_t read_memory(std::uint64_t offset, unsigned width) override;
    void write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) override;

private:
    [[nodiscard]] std::uint32_t read_register() const;
    void write_register(std::uint32_t value);

    PlatformHost& host_;
    std::array<std::uint64_t, pins> entries_;
    std::uint8_t selected_ = 0;
};

} // namespace casemate::devices
