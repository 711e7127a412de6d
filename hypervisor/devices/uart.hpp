// SPDX-License-Identifier: Apache-2.0
// A VM's console: a 16550A at 3F8h, IRQ 4, that transmits whole lines and never receives [PC16550D 8.0].
// Quirk that Linux relies on: the transmitter-empty interrupt is reported whenever it is enabled.
#pragma once

#include "hypervisor/devices/io_apic.hpp"
#include "hypervisor/devices/io_bus.hpp"

#include <array>

namespace casemate::devices {

class Uart final : public PortDevice {
public:
    static constexpr std::uint16_t first_port = 0x3F8, port_count = 8;
    static constexpr unsigned irq = 4;

    Uart(PlatformHost& host, IoApic& io_apic) : host_{host}, io_apic_{io_apic} {}
    void reset();

    std::uint32_t read_port(std::uint16_t port, unsigned width) override;
    void write_port(std::uint16_t port, unsigned width, std::uint32_t value) override;

private:
    void transmit(char byte);
    void flush();
    [[nodiscard]] bool divisor_access() const { return (line_control_ & 0x80) != 0; }
    [[nodiscard]] std::uint8_t interrupt_id() const;

    PlatformHost& host_;
    IoApic& io_apic_;
    std::array<char, 400> line_{}; // UNTRUSTED text; unprintable bytes are replaced
    std::size_t length_ = 0;
    std::uint8_t interrupt_enable_ = 0, line_control_ = 0, modem_control_ = 0, scratch_ = 0,
                 fifo_control_ = 0;
    std::array<std::uint8_t, 2> divisor_{};
};

} // namespace casemate::devices
