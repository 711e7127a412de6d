// SPDX-License-Identifier: Apache-2.0
// This core's local APIC, in x2APIC mode where the processor has it, else through the xAPIC page, and the legacy interrupt
// controllers that must be silenced. [APM2 16]
#pragma once

#include "hypervisor/base/address.hpp"

#include <cstdint>

namespace casemate::arch {

/// Masks both 8259s: their spurious interrupts would arrive as exceptions.
void silence_legacy_pic();
/// Enables this core's APIC; spurious interrupts arrive at `spurious_vector`. The timer is stopped.
void enable_host_apic(std::uint8_t spurious_vector, std::uint8_t timer_vector);
/// Its registers are MSRs: a guest may be given some of them without the rest. The same on all cores.
[[nodiscard]] bool has_x2apic();
[[nodiscard]] std::uint8_t host_apic_id();
void end_of_interrupt();
/// One shot; 0 stops it. Counts down at the rate that Clock measured.
void set_apic_timer(std::uint32_t count);
[[nodiscard]] std::uint32_t apic_timer_now();

/// What a guest may choose of the timer's LVT entry: periodic, masked, the vector.
inline constexpr std::uint32_t timer_entry_mask = 1 << 17 | 1 << 16 | 0xff, timer_masked = 1 << 16;

/// The timer as a guest programs it: LVT entry, divider, initial and current count.
struct ApicTimer {
    std::uint32_t entry, divide, initial, current;
};
[[nodiscard]] ApicTimer read_apic_timer();
/// Goes on with `current`, a periodic one from a whole period.
void write_apic_timer(const ApicTimer& timer);
void write_apic_timer_entry(std::uint32_t entry);
/// Whatever this core has taken and not ended.
void end_all_interrupts();

void send_interrupt(std::uint8_t apic_id, std::uint8_t vector);
void send_nmi(std::uint8_t apic_id);
void send_nmi_to_others();
/// INIT, then two start-ups, to all other cores [APM2 16.5]; `page` is the trampoline, below 1 MiB.
void start_other_cores(HostPhys page);

} // namespace casemate::arch
