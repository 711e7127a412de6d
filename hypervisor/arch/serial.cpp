// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/serial.hpp"

#include "hypervisor/arch/instructions.hpp"

namespace casemate::arch {
namespace {

// 16550 UART registers [PC16550D 8.0]
constexpr std::uint16_t com1 = 0x3F8, reg_ier = 1, reg_fcr = 2, reg_lcr = 3, reg_mcr = 4, reg_lsr = 5;
constexpr std::uint8_t lcr_8n1 = 3, lcr_divisor = 0x80, fcr_enable_and_clear = 7, mcr_dtr_rts = 3,
                       lsr_thr_empty = 0x20;
constexpr std::uint8_t divisor_115200 = 1;
constexpr unsigned poll_limit = 100000; // a dead UART costs time, never a hang

void write_byte(char byte) {
    for (unsigned i = 0; i < poll_limit && (in8(com1 + reg_lsr) & lsr_thr_empty) == 0; ++i) pause();
    out8(com1, static_cast<std::uint8_t>(byte));
}

} // namespace

void init_serial() {
    out8(com1 + reg_ier, 0);
    out8(com1 + reg_lcr, lcr_divisor);
    out8(com1, divisor_115200);
    out8(com1 + 1, 0);
    out8(com1 + reg_lcr, lcr_8n1);
    out8(com1 + reg_fcr, fcr_enable_and_clear);
    out8(com1 + reg_mcr, mcr_dtr_rts);
}

void write_serial(std::string_view text) {
    for (const char byte : text) write_byte(byte);
}

} // namespace casemate::arch
