// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/host_apic.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/arch/mmio.hpp"

namespace casemate::arch {
namespace {

constexpr HostPhys apic{0xFEE00000};
constexpr std::uint32_t msr_apic_base = 0x1B, msr_x2apic = 0x800, cpuid_x2apic = 1 << 21;
constexpr std::uint64_t apic_base_x2apic = 1 << 10;
constexpr std::uint64_t reg_id = 0x20, reg_tpr = 0x80, reg_eoi = 0xB0, reg_svr = 0xF0, reg_isr = 0x100, reg_tmr = 0x180,
                        reg_icr_low = 0x300, reg_icr_high = 0x310, reg_lvt_timer = 0x320, reg_lvt_lint0 = 0x350,
                        reg_lvt_lint1 = 0x360, reg_timer_initial = 0x380, reg_timer_current = 0x390,
                        reg_timer_divide = 0x3E0;
constexpr std::uint32_t lvt_masked = 1 << 16, lvt_periodic = 1 << 17, svr_enable = 1 << 8, divide_by_16 = 3;
constexpr std::uint32_t icr_pending = 1 << 12, icr_assert = 1 << 14, icr_all_but_self = 3 << 18,
                        icr_init = 5 << 8, icr_startup = 6 << 8, icr_nmi = 4 << 8;
constexpr unsigned icr_poll_limit = 100000;

bool x2apic; // written once, by the boot core before it starts the others

/// Register 80h is MSR 808h [APM2 16.11].
std::uint32_t read(std::uint64_t reg) {
    if (!x2apic) return mmio_read32(apic + reg);
    return static_cast<std::uint32_t>(read_msr(msr_x2apic + static_cast<std::uint32_t>(reg >> 4)));
}
void write(std::uint64_t reg, std::uint32_t value) {
    if (!x2apic) return mmio_write32(apic + reg, value);
    write_msr(msr_x2apic + static_cast<std::uint32_t>(reg >> 4), value);
}

void send(std::uint32_t target, std::uint32_t low) {
    if (x2apic) return write_msr(msr_x2apic + (reg_icr_low >> 4), std::uint64_t{target} << 32 | low);
    for (unsigned i = 0; i < icr_poll_limit && (read(reg_icr_low) & icr_pending) != 0; ++i) pause();
    write(reg_icr_high, target << 24);
    write(reg_icr_low, low);
}

} // namespace

void silence_legacy_pic() {
    out8(0x21, 0xff);
    out8(0xA1, 0xff);
}

void enable_host_apic(std::uint8_t spurious_vector, std::uint8_t timer_vector) {
    if ((cpuid(1).ecx & cpuid_x2apic) != 0) {
        write_msr(msr_apic_base, read_msr(msr_apic_base) | apic_base_x2apic);
        x2apic = true;
    }
    write(reg_tpr, 0);
    write(reg_lvt_lint0, lvt_masked);
    write(reg_lvt_lint1, lvt_masked);
    write(reg_svr, svr_enable | spurious_vector);
    write(reg_timer_divide, divide_by_16);
    write(reg_timer_initial, 0);
    write(reg_lvt_timer, timer_vector);
}

bool has_x2apic() { return x2apic; }
std::uint8_t host_apic_id() { return static_cast<std::uint8_t>(x2apic ? read(reg_id) : read(reg_id) >> 24); }
void end_of_interrupt() { write(reg_eoi, 0); }
void set_apic_timer(std::uint32_t count) { write(reg_timer_initial, count); }
std::uint32_t apic_timer_now() { return read(reg_timer_current); }

ApicTimer read_apic_timer() {
    return {read(reg_lvt_timer) & timer_entry_mask, read(reg_timer_divide), read(reg_timer_initial), read(reg_timer_current)};
}

void write_apic_timer(const ApicTimer& timer) {
    write(reg_timer_divide, timer.divide);
    write(reg_lvt_timer, timer.entry);
    write(reg_timer_initial, (timer.entry & lvt_periodic) != 0 ? timer.initial : timer.current);
}

void write_apic_timer_entry(std::uint32_t entry) { write(reg_lvt_timer, entry); }

void end_all_interrupts() {
    for (std::uint64_t reg = reg_isr; reg < reg_tmr; reg += 16)
        for (std::uint32_t left = read(reg); left != 0; left &= left - 1) end_of_interrupt();
}

void send_interrupt(std::uint8_t apic_id, std::uint8_t vector) {
    send(apic_id, icr_assert | vector);
}
void send_nmi(std::uint8_t apic_id) { send(apic_id, icr_assert | icr_nmi); }
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
