// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/uart.hpp"

namespace casemate::devices {
namespace {

constexpr std::uint16_t reg_data = 0, reg_ier = 1, reg_iir_fcr = 2, reg_lcr = 3, reg_mcr = 4, reg_lsr = 5,
                        reg_msr = 6;
constexpr std::uint8_t ier_thr_empty = 2, iir_none = 1, iir_thr_empty = 2, iir_fifos = 0xC0, fcr_enable = 1;
constexpr std::uint8_t lsr_idle = 0x60;      // transmitter and holding register empty
constexpr std::uint8_t msr_connected = 0xB0; // CTS, DSR, DCD
constexpr std::uint8_t mcr_loop = 0x10;

} // namespace

void Uart::reset() {
    flush();
    interrupt_enable_ = line_control_ = modem_control_ = scratch_ = fifo_control_ = 0;
}

std::uint8_t Uart::interrupt_id() const {
    const std::uint8_t fifos = (fifo_control_ & fcr_enable) != 0 ? iir_fifos : 0;
    return fifos | ((interrupt_enable_ & ier_thr_empty) != 0 ? iir_thr_empty : iir_none);
}

std::uint32_t Uart::read_port(std::uint16_t port, unsigned) {
    switch (port - first_port) {
    case reg_data: return divisor_access() ? divisor_[0] : 0;
    case reg_ier: return divisor_access() ? divisor_[1] : interrupt_enable_;
    case reg_iir_fcr: return interrupt_id();
    case reg_lcr: return line_control_;
    case reg_mcr: return modem_control_;
    case reg_lsr: return lsr_idle;
    // In loop-back mode the modem outputs come back as inputs: Linux probes for a UART this way.
    case reg_msr:
        return (modem_control_ & mcr_loop) != 0
                   ? static_cast<std::uint32_t>((modem_control_ & 0x0C) << 4 | (modem_control_ & 2) << 3 |
                                                (modem_control_ & 1) << 5)
                   : msr_connected;
    default: return scratch_;
    }
}

void Uart::write_port(std::uint16_t port, unsigned, std::uint32_t value) {
    const auto byte = static_cast<std::uint8_t>(value);
    switch (port - first_port) {
    case reg_data:
        if (divisor_access())
            divisor_[0] = byte;
        else
            transmit(static_cast<char>(byte));
        break;
    case reg_ier:
        if (divisor_access())
            divisor_[1] = byte;
        else
            interrupt_enable_ = byte & 0x0F;
        break;
    case reg_iir_fcr: fifo_control_ = byte; break;
    case reg_lcr: line_control_ = byte; break;
    case reg_mcr: modem_control_ = byte & 0x1F; break;
    case reg_lsr:
    case reg_msr: return;
    default: scratch_ = byte; return;
    }
    if (!divisor_access() && (interrupt_enable_ & ier_thr_empty) != 0) io_apic_.raise(irq);
}

void Uart::transmit(char byte) {
    if ((modem_control_ & mcr_loop) != 0 || byte == '\r') return;
    if (byte == '\n' || length_ == line_.size()) flush();
    if (byte == '\n') return;
    const bool printable = (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == 0x1b;
    line_[length_++] = printable ? byte : '?';
}

void Uart::flush() {
    if (length_ != 0) host_.console_line({line_.data(), length_});
    length_ = 0;
}

} // namespace casemate::devices
