// SPDX-License-Identifier: Apache-2.0
// The state in which a VM's processor starts: Linux's 64-bit boot protocol, and what is intercepted for ever.
#include "hypervisor/core/vm.hpp"

#include <cstring>

namespace casemate::core {
namespace {

constexpr std::uint64_t efer_lme_lma_svme = 1 << 8 | 1 << 10 | 1 << 12; // VMRUN demands SVME [APM2 15.5.1]
constexpr std::uint64_t cr0_pe_et_ne_pg = 0x80000031, cr4_pae = 1 << 5;
constexpr std::uint64_t reset_pat = 0x0007040600070406, reset_dr6 = 0xFFFF0FF0, reset_dr7 = 0x400,
                        reset_rflags = 2;
constexpr std::uint16_t attributes_code = 0xA9B, attributes_data = 0xC93, attributes_ldt = 0x82,
                        attributes_tss = 0x8B;
constexpr std::uint32_t flush_all = 1;
constexpr std::size_t xsave_fcw = 0, xsave_mxcsr = 24;

// #DB and #AC are intercepted because a guest can make their delivery loop for ever inside one instruction.
constexpr std::uint32_t exceptions = 1u << 1 | 1u << 17 | 1u << 18;
constexpr std::uint32_t first = intercept_1::intr | intercept_1::nmi | intercept_1::smi | intercept_1::init |
                                intercept_1::rdpmc | intercept_1::cpuid | intercept_1::invd |
                                intercept_1::hlt | intercept_1::invlpga | intercept_1::ioio_prot |
                                intercept_1::msr_prot | intercept_1::task_switch | intercept_1::ferr_freeze |
                                intercept_1::shutdown;
constexpr std::uint32_t second = intercept_2::vmrun | intercept_2::vmmcall | intercept_2::vmload |
                                 intercept_2::vmsave | intercept_2::stgi | intercept_2::clgi |
                                 intercept_2::skinit | intercept_2::icebp | intercept_2::wbinvd |
                                 intercept_2::monitor | intercept_2::mwait | intercept_2::mwait_armed |
                                 intercept_2::xsetbv | intercept_2::rdpru;

} // namespace

void Vcpu::reset(const BootEntry& entry, const VcpuTables& tables, const mm::GuestMemory& memory) {
    std::memset(&vmcb_, 0, sizeof vmcb_);
    registers_ = {};
    forget_events();
    apic_.reset(memory, vm_.platform().io_apic, tables.apic);
    reset_controls(tables);
    reset_registers(entry);
    reset_fpu();
}

void Vcpu::save(VcpuImage& image) const {
    image.vmcb = vmcb_;
    image.registers = registers_;
    image.switched = switched_;
    std::memcpy(image.fpu.data(), fpu_area_, fpu_area_size);
    image.apic = apic_;
}

void Vcpu::restore(const VcpuImage& image, std::uint64_t tsc_offset) {
    vmcb_ = image.vmcb;
    vmcb_.tsc_offset = tsc_offset;
    registers_ = image.registers;
    switched_ = image.switched;
    std::memcpy(fpu_area_, image.fpu.data(), fpu_area_size);
    apic_ = image.apic;
    apic_.shift_time(tsc_offset);
    forget_events();
}

/// Nothing posted, awake, nothing cached of another life.
void Vcpu::forget_events() {
    for (auto& word : posted_) word.store(0, std::memory_order_relaxed);
    halted_ = false;
    flush_tlb_ = true;
}

void Vcpu::reset_controls(const VcpuTables& tables) {
    vmcb_.intercept_exceptions = exceptions;
    vmcb_.intercept_1 = first;
    vmcb_.intercept_2 = second;
    vmcb_.iopm_base_pa = tables.io_map;
    vmcb_.msrpm_base_pa = tables.msr_map;
    vmcb_.guest_asid = tables.asid;
    vmcb_.tlb_control = flush_all;
    if (direct()) vmcb_.intercept_1 &= ~(intercept_1::intr | intercept_1::hlt);
    vmcb_.virtual_interrupt = direct() ? 0 : virtual_interrupt::masking;
    vmcb_.np_enable = 1;
    vmcb_.n_cr3 = tables.page_table;
    vmcb_.g_pat = reset_pat;
}

void Vcpu::reset_registers(const BootEntry& entry) {
    const VmcbSegment data{boot_data_selector, attributes_data, 0xffffffff, 0};
    vmcb_.cs = {boot_code_selector, attributes_code, 0xffffffff, 0};
    vmcb_.ss = vmcb_.ds = vmcb_.es = vmcb_.fs = vmcb_.gs = data;
    vmcb_.gdtr = {0, 0, boot_gdt_limit, entry.gdt_base};
    vmcb_.ldtr = {0, attributes_ldt, 0xffff, 0};
    vmcb_.tr = {0, attributes_tss, 0xffff, 0};
    vmcb_.efer = efer_lme_lma_svme;
    vmcb_.cr0 = cr0_pe_et_ne_pg;
    vmcb_.cr3 = entry.cr3;
    vmcb_.cr4 = cr4_pae;
    vmcb_.dr6 = reset_dr6;
    vmcb_.dr7 = reset_dr7;
    vmcb_.rflags = reset_rflags;
    vmcb_.rip = entry.rip;
    reg(6) = entry.rsi;
}

/// Initial state by the standard form of XRSTOR: XSTATE_BV = 0 resets all components, MXCSR comes from the image.
void Vcpu::reset_fpu() {
    constexpr std::uint16_t initial_fcw = 0x37F;
    constexpr std::uint32_t initial_mxcsr = 0x1F80;
    std::memset(fpu_area_, 0, fpu_area_size);
    std::memcpy(fpu_area_ + xsave_fcw, &initial_fcw, sizeof initial_fcw);
    std::memcpy(fpu_area_ + xsave_mxcsr, &initial_mxcsr, sizeof initial_mxcsr);
    switched_ = {.xcr0 = 1, .tsc_aux = 0, .dr = {}, .task_priority = 0, .timer = {.entry = arch::timer_masked, .divide = 0, .initial = 0, .current = 0}};
}

} // namespace casemate::core
