// SPDX-License-Identifier: Apache-2.0
// A virtual I/O APIC, 24 pins [82093AA 3.0]. It sends an interrupt when told so and keeps no line's level: whoever drives a
// level-triggered pin (the INTx of assigned functions) tells it again when the guest has ended the interrupt and the line is
// up still.
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

    /// A pin's line goes up: an interrupt if the guest has unmasked it.
    void raise(unsigned pin);
    /// The interrupt vector of a pin that the guest has unmasked.
    [[nodiscard]] std::optional<std::uint8_t> open_vector(unsigned pin) const;

    /// 32 vectors from 32 * index on: those that entries name as level-triggered.
    [[nodiscard]] std::uint32_t level_vectors(std::size_t index) const { return level_[index]; }

    std::uint64_t read_memory(std::uint64_t offset, unsigned width) override;
    void write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) override;

private:
    [[nodiscard]] std::uint32_t read_register() const;
    void write_register(std::uint32_t value);

    PlatformHost& host_;
    std::array<std::uint64_t, pins> entries_;
    std::array<std::uint32_t, 8> level_; // of entries_, kept because it is asked for at each entry of the guest
    std::uint8_t selected_ = 0;
};

} // namespace casemate::devices
