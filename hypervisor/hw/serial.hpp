// SPDX-License-Identifier: Apache-2.0
// A 16550 UART as a log: polled output, no interrupts, no input. [16550: PC16550D data sheet, section 8]
// Invariant: a write ends in bounded time; while a line does not drain, its bytes are dropped.
// Called by launcher, SLB and hypervisor for COM1.
#pragma once

#include "hypervisor/arch/instructions.hpp"

#include <cstdint>
#include <string_view>

namespace casemate::hw {

inline constexpr std::uint16_t com1_port = 0x3f8;

/// The processor's ports as Serial's bus.
struct PortBus {
    [[nodiscard]] std::uint8_t read8(std::uint16_t port) const { return arch::in8(port); }
    void write8(std::uint16_t port, std::uint8_t value) const { arch::out8(port, value); }
};

template <typename Bus>
class Serial {
public:
    constexpr Serial(Bus bus, std::uint16_t base) : bus_{bus}, base_{base} {}

    /// 115200 baud, 8N1, FIFO on, interrupts off.
    void configure() {
        put(interrupt_enable, 0);
        put(line_control, divisor_access);
        put(divisor_low, 1);
        put(divisor_high, 0);
        put(line_control, eight_bits);
        put(fifo_control, fifo_enable_and_clear);
        put(modem_control, data_terminal_ready | request_to_send);
    }

    void write(std::string_view text) {
        for (const char c : text) {
            if (c == '\n') write_byte('\r');
            write_byte(static_cast<std::uint8_t>(c));
        }
    }

private:
    enum Offset : std::uint8_t {
        data = 0, divisor_low = 0, interrupt_enable = 1, divisor_high = 1, fifo_control = 2, line_control = 3,
        modem_control = 4, line_status = 5,
    };
    static constexpr std::uint8_t divisor_access = 0x80, eight_bits = 0x03, fifo_enable_and_clear = 0x07;
    static constexpr std::uint8_t data_terminal_ready = 0x01, request_to_send = 0x02, holding_empty = 0x20;
    // About a second of port reads, once each time that the line stops. A byte takes 87 us at 115200 baud, but an emulator's line
    // waits for its reader.
    static constexpr unsigned drain_polls = 1'000'000;

    void put(Offset offset, std::uint8_t value) { bus_.write8(static_cast<std::uint16_t>(base_ + offset), value); }

    void write_byte(std::uint8_t byte) {
        for (unsigned left = alive_ ? drain_polls : 1; left > 0; --left) {
            alive_ = bus_.read8(static_cast<std::uint16_t>(base_ + line_status)) & holding_empty;
            if (alive_) return put(data, byte);
        }
    }

    Bus bus_;
    std::uint16_t base_;
    bool alive_ = true;
};

} // namespace casemate::hw
