// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/clock.hpp"

#include "hypervisor/arch/host_apic.hpp"

#include <algorithm>

namespace casemate::arch {
namespace {

// Intel 8254 channel 2, gated by port 61h, as every PC chipset has it.
constexpr std::uint16_t pit_data = 0x42, pit_command = 0x43, gate_port = 0x61;
constexpr std::uint8_t pit_channel_2_one_shot = 0xB0, gate_on = 1, speaker_on = 2, output_high = 0x20;
constexpr std::uint32_t pit_hz = 1193182;
constexpr std::uint32_t sample_millis = 10;
constexpr std::uint32_t poll_limit = 5'000'000; // each poll is a slow port read: seconds, many times the sample

ClockRates rates;

bool wait_for_output() {
    for (std::uint32_t i = 0; i < poll_limit; ++i)
        if (in8(gate_port) & output_high) return true;
    return false;
}

/// Counts during one sample; zeros if the PIT stands still.
ClockRates sample() {
    const auto gate = static_cast<std::uint8_t>((in8(gate_port) & ~speaker_on) | gate_on);
    const std::uint32_t count = pit_hz / 1000 * sample_millis;
    out8(gate_port, static_cast<std::uint8_t>(gate & ~gate_on));
    out8(pit_command, pit_channel_2_one_shot);
    out8(pit_data, static_cast<std::uint8_t>(count));
    out8(pit_data, static_cast<std::uint8_t>(count >> 8));
    out8(gate_port, gate);
    const std::uint64_t start = read_tsc();
    set_apic_timer(~0u);
    if (!wait_for_output()) return {};
    const std::uint64_t apic_counts = ~0u - apic_timer_now();
    const std::uint64_t tsc_counts = read_tsc() - start;
    set_apic_timer(0);
    return {tsc_counts / sample_millis, apic_counts / sample_millis};
}

} // namespace

bool calibrate_clock() {
    rates = sample();
    // A sample can only be too long (we were not scheduled when the PIT ended): the least of three is the best.
    for (int i = 0; i < 2 && rates.tsc_khz != 0; ++i) {
        const ClockRates again = sample();
        rates = {std::min(rates.tsc_khz, again.tsc_khz), std::min(rates.apic_khz, again.apic_khz)};
    }
    return rates.tsc_khz != 0 && rates.apic_khz != 0;
}

const ClockRates& clock_rates() { return rates; }

void spin_micros(std::uint64_t micros) {
    const std::uint64_t end = read_tsc() + micros * rates.tsc_khz / 1000;
    while (read_tsc() < end) pause();
}

} // namespace casemate::arch
