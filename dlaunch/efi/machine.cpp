// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/efi/machine.hpp"

#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/hw/mmio.hpp"
#include "hypervisor/hw/pci_config.hpp"
#include "hypervisor/hw/tpm_tis_registers.hpp"
#include "hypervisor/hw/tsc_clock.hpp"

namespace casemate::efi {

namespace {

// CPUID and MSRs [APM2 15.4, 15.27.1, 15.30.1; APM3 E.4].
constexpr std::uint32_t extended_features = 0x80000001, ecx_svm = 1 << 2, ecx_skinit = 1 << 12;
constexpr std::uint32_t msr_vm_cr = 0xc0010114, vm_cr_svmdis = 1 << 4;
constexpr std::uint32_t msr_efer = 0xc0000080, efer_svme = 1 << 12;

// Local APIC [APM2 16.3, 16.5].
constexpr std::uint32_t msr_apic_base = 0x1b, apic_base_x2apic = 1 << 10, msr_x2apic_icr = 0x830;
constexpr std::uint64_t apic_base_mask = 0xffffff000, icr_low = 0x300;
constexpr std::uint32_t init_all_but_self = 0x000c4500; // INIT, assert, destination shorthand 11b

constexpr hw::Micros init_time{10'000}; // as the multiprocessor start-up sequence waits after INIT

} // namespace

Status<RefusalKind> check_processor() {
    const std::uint32_t features = arch::cpuid(extended_features).ecx;
    if (!(features & ecx_svm)) return Failure{RefusalKind::no_svm};
    if (!(features & ecx_skinit)) return Failure{RefusalKind::no_skinit};
    if (arch::read_msr(msr_vm_cr) & vm_cr_svmdis) return Failure{RefusalKind::svm_disabled};
    return Done{};
}

bool tpm_answers() {
    const auto id = arch::mmio_read<std::uint32_t>(hw::tis::base + hw::tis::did_vid);
    return id != 0 && id != 0xffffffff;
}

void release_tpm_locality() { arch::mmio_write<std::uint8_t>(hw::tis::base + hw::tis::access, hw::tis::active_locality); }

void stop_bus_masters() {
    hw::PortPciBus pci;
    hw::enumerate(pci, [&](DeviceAddress function) {
        // The upper half is the status register, write-1-to-clear: zeros leave it alone.
        const std::uint32_t command = pci.read32(function, hw::pci::command) & 0xffff;
        pci.write32(function, hw::pci::command, command & ~std::uint32_t{hw::pci::command_master});
    });
}

void stop_processors() {
    const std::uint64_t apic = arch::read_msr(msr_apic_base);
    if (apic & apic_base_x2apic) arch::write_msr(msr_x2apic_icr, init_all_but_self);
    else arch::mmio_write<std::uint32_t>(HostPhys{(apic & apic_base_mask) + icr_low}, init_all_but_self);
    const std::uint64_t rate = hw::calibrate_tsc(); // itself 10 ms long, and 0 when there is no 8254
    if (rate != 0) hw::wait(hw::TscClock{rate}, init_time);
}

void skinit(HostPhys slb) {
    arch::write_msr(msr_efer, arch::read_msr(msr_efer) | efer_svme);
    // SAFETY: leaves this program for ever; all state but EAX is replaced [APM3 SKINIT].
    asm volatile("cli; .byte 0x0f, 0x01, 0xde" ::"a"(static_cast<std::uint32_t>(slb.value)) : "memory");
    arch::halt_forever();
}

} // namespace casemate::efi
