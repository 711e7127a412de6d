// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/clock.hpp"

#include "hypervisor/arch/host_apic.hpp"

namespace casemate::arch {
namespace {

// Intel 8254 channel 2, gated by port 61h, as every PC chipset has it.
constexpr std::uint16_t pit_data = 0x42, pit_command = 0x43, gate_port = 0x61;
constexpr std::uint8_t pit_channel_2_count_down = 0xB0, pit_latch_channel_2 = 0x80, gate_on = 1,
                       speaker_on = 2;
constexpr std::uint64_t pit_hz = 1193182;
constexpr std::uint16_t sample_counts = 20 * pit_hz / 1000; // 20 ms
constexpr std::uint32_t poll_limit = 1'000'000;             // each poll is three slow port accesses: seconds
constexpr unsigned attempts = 5, reads_per_point = 16;

ClockRates rates;

/// The three counters at (almost) one moment; `uncertainty` is how long reading them took.
struct Point {
    std::uint64_t tsc = 0, uncertainty = ~0ull;
    std::uint32_t apic = 0;
    std::uint16_t pit = 0;
};

Point read_point() {
    const std::uint64_t before = read_tsc();
    out8(pit_command, pit_latch_channel_2);
    const std::uint32_t apic = apic_timer_now();
    const std::uint64_t after = read_tsc();
    const std::uint8_t low = in8(pit_data);
    const auto pit = static_cast<std::uint16_t>(low | in8(pit_data) << 8);
    return {before + (after - before) / 2, after - before, apic, pit};
}

/// We may lose the processor at any time (a hypervisor below us, SMM): of several reads the shortest is the true one.
Point best_point() {
    Point best;
    for (unsigned i = 0; i < reads_per_point; ++i)
        if (const Point point = read_point(); point.uncertainty < best.uncertainty) best = point;
    return best;
}

void start_counting() {
    const auto gate = static_cast<std::uint8_t>((in8(gate_port) & ~speaker_on) | gate_on);
    out8(gate_port, gate);
    out8(pit_command, pit_channel_2_count_down);
    out8(pit_data, 0xff);
    out8(pit_data, 0xff);
    set_apic_timer(~0u);
}

/// Zeros if the PIT stands still.
ClockRates sample() {
    start_counting();
    const Point start = best_point();
    std::uint32_t polls = 0;
    while (static_cast<std::uint16_t>(start.pit - read_point().pit) < sample_counts)
        if (++polls == poll_limit) return {};
    const Point end = best_point();
    set_apic_timer(0);
    const std::uint64_t counts = static_cast<std::uint16_t>(start.pit - end.pit);
    return {(end.tsc - start.tsc) * pit_hz / counts / 1000, (start.apic - end.apic) * pit_hz / counts / 1000};
}

} // namespace

bool calibrate_clock() {
    rates = sample();
    // What can still go wrong is that the PIT wrapped while we did not run: then the rate comes out too high.
    for (unsigned i = 1; i < attempts && rates.tsc_khz != 0; ++i)
        if (const ClockRates again = sample(); again.tsc_khz < rates.tsc_khz) rates = again;
    return rates.tsc_khz != 0 && rates.apic_khz != 0;
}

const ClockRates& clock_rates() { return rates; }

void spin_micros(std::uint64_t micros) {
    const std::uint64_t end = read_tsc() + micros * rates.tsc_khz / 1000;
    while (read_tsc() < end) pause();
}

} // namespace casemate::arch
