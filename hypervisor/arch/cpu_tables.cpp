// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/cpu_tables.hpp"

#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/rt/stack_guard.hpp"

#include <array>

namespace casemate::arch {

extern "C" const std::uint8_t interrupt_gates[];
extern "C" [[gnu::hot]] void interrupt_entry(InterruptFrame* frame);

namespace {

constexpr std::uint32_t msr_fs_base = 0xC0000100, msr_gs_base = 0xC0000101;
constexpr unsigned vector_nmi = 2, vector_double_fault = 8, vector_machine_check = 18;

struct [[gnu::packed]] TableRegister {
    std::uint16_t limit;
    std::uint64_t base;
};

struct Gate {
    std::uint64_t low, high;
};

std::array<Gate, 256> idt;
bool stopping; // written once, before the NMI that makes others read it

/// 64-bit interrupt gate, DPL 0 [APM2 4.8.4].
Gate make_gate(std::uint64_t target, unsigned ist) {
    const std::uint64_t low = (target & 0xffff) | std::uint64_t{code_selector} << 16 |
                              std::uint64_t{ist} << 32 | 0x8Eull << 40 | (target >> 16 & 0xffff) << 48;
    return {low, target >> 32};
}

unsigned ist_of(unsigned vector) {
    switch (vector) {
    case vector_nmi: return 1;
    case vector_double_fault: return 2;
    case vector_machine_check: return 3;
    default: return 0;
    }
}

void fill_idt() {
    for (unsigned vector = 0; vector < idt.size(); ++vector)
        idt[vector] =
            make_gate(reinterpret_cast<std::uint64_t>(interrupt_gates) + 16 * vector, ist_of(vector));
}

void set_ist(CpuTables& tables, unsigned ist, std::uint8_t* stack) {
    const auto top = reinterpret_cast<std::uint64_t>(stack) + 4096;
    tables.tss[9 + 2 * (ist - 1)] = static_cast<std::uint32_t>(top);
    tables.tss[10 + 2 * (ist - 1)] = static_cast<std::uint32_t>(top >> 32);
}

void fill_gdt(CpuTables& tables) {
    const auto tss = reinterpret_cast<std::uint64_t>(tables.tss);
    tables.gdt[1] = 0x00AF9B000000FFFF; // code, 64-bit, accessed
    tables.gdt[2] = 0x00CF93000000FFFF; // data, accessed
    tables.gdt[3] =
        (sizeof(tables.tss) - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    tables.gdt[4] = tss >> 32;
}

void load_segments(const TableRegister& gdtr, const TableRegister& idtr) {
    // SAFETY: both tables are filled; the far return reloads CS with the code descriptor of the new GDT.
    asm volatile("lgdt %0\n\tlidt %1\n\t"
                 "push %2\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n1:\n\t"
                 "mov %3, %%eax\n\tmov %%eax, %%ss\n\tmov %%eax, %%ds\n\tmov %%eax, %%es\n\t"
                 "xor %%eax, %%eax\n\tmov %%eax, %%fs\n\tmov %%eax, %%gs\n\t"
                 "mov %4, %%eax\n\tltr %%ax"
                 :
                 : "m"(gdtr), "m"(idtr), "i"(code_selector), "i"(data_selector), "i"(tss_selector)
                 : "rax", "memory");
}

} // namespace

void load_cpu_tables(CpuTables& tables, void* core_object) {
    fill_idt();
    tables.core_object = core_object;
    fill_gdt(tables);
    set_ist(tables, 1, tables.nmi_stack);
    set_ist(tables, 2, tables.double_fault_stack);
    set_ist(tables, 3, tables.machine_check_stack);
    tables.tss[25] = sizeof(tables.tss) << 16; // no I/O permission map
    load_segments({sizeof(tables.gdt) - 1, reinterpret_cast<std::uint64_t>(tables.gdt)},
                  {sizeof(idt) - 1, reinterpret_cast<std::uint64_t>(idt.data())});
    write_msr(msr_gs_base, reinterpret_cast<std::uint64_t>(&tables));
    write_msr(msr_fs_base, reinterpret_cast<std::uint64_t>(stack_guard_block)); // for libbearssl
}

void stop_all_cores() {
    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    send_nmi_to_others();
}

extern "C" void interrupt_entry(InterruptFrame* frame) {
    if (frame->vector >= 32) return on_host_interrupt(static_cast<std::uint8_t>(frame->vector));
    if (frame->vector != vector_nmi) on_host_exception(*frame);
    if (__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) halt_forever();
}

} // namespace casemate::arch
