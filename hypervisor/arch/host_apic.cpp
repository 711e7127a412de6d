// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/host_apic.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/arch/mmio.hpp"

namespace casemate::arch {
namespace {

constexpr HostPhys apic{0xFEE00000};
constexpr std::uint64_t reg_id = 0x20, reg_tpr = 0x80, reg_eoi = 0xB0, reg_svr = 0xF0, reg_icr_low = 0x300,
                        reg_icr_high = 0x310, reg_lvt_timer = 0x320, reg_lvt_lint0 = 0x350,
                        reg_lvt_lint1 = 0x360, reg_timer_initial = 0x380, reg_timer_current = 0x390,
                        reg_timer_divide = 0x3E0;
constexpr std::uint32_t lvt_masked = 1 << 16, svr_enable = 1 << 8, divide_by_16 = 3;
constexpr std::uint32_t icr_pending = 1 << 12, icr_assert = 1 << 14, icr_all_but_self = 3 << 18,
                        icr_init = 5 << 8, icr_startup = 6 << 8, icr_nmi = 4 << 8;
constexpr unsigned icr_poll_limit = 100000;

void send(std::uint32_t high, std::uint32_t low) {
    for (unsigned i = 0; i < icr_poll_limit && (mmio_read32(apic + reg_icr_low) & icr_pending) != 0; ++i)
        pause();
    mmio_write32(apic + reg_icr_high, high);
    mmio_write32(apic + reg_icr_low, low);
}

} // namespace

void silence_legacy_pic() {
    out8(0x21, 0xff);
    out8(0xA1, 0xff);
}

void enable_host_apic(std::uint8_t spurious_vector, std::uint8_t timer_vector) {
    mmio_write32(apic + reg_tpr, 0);
    mmio_write32(apic + reg_lvt_lint0, lvt_masked);
    mmio_write32(apic + reg_lvt_lint1, lvt_masked);
    mmio_write32(apic + reg_svr, svr_enable | spurious_vector);
    mmio_write32(apic + reg_timer_divide, divide_by_16);
    mmio_write32(apic + reg_lvt_timer, timer_vector);
}

std::uint8_t host_apic_id() { return static_cast<std::uint8_t>(mmio_read32(apic + reg_id) >> 24); }
void end_of_interrupt() { mmio_write32(apic + reg_eoi, 0); }
void set_apic_timer(std::uint32_t count) { mmio_write32(apic + reg_timer_initial, count); }
std::uint32_t apic_timer_now() { return mmio_read32(apic + reg_timer_current); }

void send_interrupt(std::uint8_t apic_id, std::uint8_t vector) {
    send(std::uint32_t{apic_id} << 24, icr_assert | vector);
}
void send_nmi_to_others() { send(0, icr_all_but_self | icr_assert | icr_nmi); }

void start_other_cores(HostPhys page) {
    const auto startup =
        icr_all_but_self | icr_assert | icr_startup | static_cast<std::uint32_t>(page.value >> 12);
    send(0, icr_all_but_self | icr_assert | icr_init);
    spin_micros(10000);
    send(0, startup);
    spin_micros(200);
    send(0, startup);
}

} // namespace casemate::arch
