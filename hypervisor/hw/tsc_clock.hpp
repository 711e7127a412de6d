// SPDX-License-Identifier: Apache-2.0
// Time from the TSC, calibrated once against the 8254's channel 2 (the firmware's word is not taken for it).
// Good enough for time-outs: the error is below a percent. Needs no interrupts.
#pragma once

#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/hw/clock.hpp"

namespace casemate::hw {

/// TSC ticks per millisecond, measured over 10 ms; 0 when the 8254 does not count.
inline std::uint64_t calibrate_tsc() {
    constexpr std::uint16_t gate_port = 0x61, channel2_port = 0x42, mode_port = 0x43;
    constexpr std::uint8_t gate = 1, speaker = 2, output = 1 << 5, one_shot = 0xb0; // channel 2, both bytes, mode 0
    constexpr std::uint32_t input_hz = 1193182, milliseconds = 10, count = input_hz * milliseconds / 1000;
    constexpr unsigned poll_limit = 1'000'000; // port reads, a microsecond each
    const auto control = static_cast<std::uint8_t>(arch::in8(gate_port) & ~(gate | speaker));
    arch::out8(gate_port, control | gate);
    arch::out8(mode_port, one_shot);
    arch::out8(channel2_port, count & 0xff);
    arch::out8(channel2_port, count >> 8);
    const std::uint64_t start = arch::read_tsc();
    for (unsigned i = 0; i < poll_limit; ++i) {
        if (arch::in8(gate_port) & output) return (arch::read_tsc() - start) / milliseconds;
    }
    return 0;
}

class TscClock final : public Clock {
public:
    constexpr explicit TscClock(std::uint64_t ticks_per_millisecond) : rate_{ticks_per_millisecond} {}
    [[nodiscard]] Micros now() const override {
        const std::uint64_t tsc = arch::read_tsc();
        return {tsc / rate_ * 1000 + tsc % rate_ * 1000 / rate_};
    }

private:
    std::uint64_t rate_;
};

} // namespace casemate::hw
