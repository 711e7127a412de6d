// SPDX-License-Identifier: Apache-2.0
// This core's local APIC through the xAPIC page (every SVM processor has it; QEMU's TCG has no x2APIC), and the legacy
// interrupt controllers that must be silenced. [APM2 16]
#pragma once

#include "hypervisor/base/address.hpp"

#include <cstdint>

namespace casemate::arch {

/// Masks both 8259s: their spurious interrupts would arrive as exceptions.
void silence_legacy_pic();
/// Enables this core's APIC; spurious interrupts arrive at `spurious_vector`.
void enable_host_apic(std::uint8_t spurious_vector, std::uint8_t timer_vector);
[[nodiscard]] std::uint8_t host_apic_id();
void end_of_interrupt();
/// One shot; 0 stops it. Counts down at the rate that Clock measured.
void set_apic_timer(std::uint32_t count);
[[nodiscard]] std::uint32_t apic_timer_now();

void send_interrupt(std::uint8_t apic_id, std::uint8_t vector);
void send_nmi_to_others();
/// INIT, then two start-ups, to all other cores [APM2 16.5]; `page` is the trampoline, below 1 MiB.
void start_other_cores(HostPhys page);

} // namespace casemate::arch
