// SPDX-License-Identifier: Apache-2.0
// Time: the TSC, calibrated once against channel 2 of the PIT, and the APIC timer's rate beside it.
// Invariant: calibrate_clock() runs once, on the boot core, before anything waits; the TSC of all cores is one clock
// [APM2 13.2.4]. Every wait is bounded by a TSC deadline.
#pragma once

#include "hypervisor/arch/instructions.hpp"

#include <cstdint>

namespace casemate::arch {

struct ClockRates {
    std::uint64_t tsc_khz = 0;
    std::uint64_t apic_khz = 0; // counts of the APIC timer, after its divider
};

/// False if the PIT does not answer in time.
[[nodiscard]] bool calibrate_clock();
[[nodiscard]] const ClockRates& clock_rates();

[[nodiscard]] inline std::uint64_t tsc_from_millis(std::uint64_t millis) {
    return millis * clock_rates().tsc_khz;
}
[[nodiscard]] inline std::uint64_t micros_from_tsc(std::uint64_t ticks) {
    const std::uint64_t khz = clock_rates().tsc_khz;
    return ticks / khz * 1000 + ticks % khz * 1000 / khz;
}
/// Since reset of the TSC.
[[nodiscard]] inline std::uint64_t now_micros() { return micros_from_tsc(read_tsc()); }
void spin_micros(std::uint64_t micros);

} // namespace casemate::arch
