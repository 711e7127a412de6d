// SPDX-License-Identifier: Apache-2.0
// Descriptor tables and stacks of one core: GDT, TSS, and the IDT that all cores share.
// Invariant: NMI, double fault and machine check have stacks of their own (IST), so they are safe at any instruction.
// An exception of the hypervisor itself is our bug: contract_violated() with its vector and address.
#pragma once

#include "hypervisor/base/address.hpp"

#include <cstdint>

namespace casemate::arch {

/// What vectors.S pushes, lowest address first.
struct InterruptFrame {
    std::uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    std::uint64_t vector, error_code;
    std::uint64_t rip, cs, rflags, rsp, ss;
};

inline constexpr std::uint16_t code_selector = 0x08, data_selector = 0x10, tss_selector = 0x18;
inline constexpr std::uint64_t core_stack_size = 32 * 1024;

/// One a core, in TCB memory, zeroed.
struct CpuTables {
    void* core_object;     // what GS:0 finds, see current_core_object()
    std::uint64_t gdt[5];  // null, code, data, TSS (two slots)
    std::uint32_t tss[26]; // [APM2 12.2.5]
    alignas(16) std::uint8_t nmi_stack[4096];
    alignas(16) std::uint8_t double_fault_stack[4096];
    alignas(16) std::uint8_t machine_check_stack[4096];
};

/// Builds the tables, makes them this core's, and GS:0 yield `core_object`.
void load_cpu_tables(CpuTables& tables, void* core_object);

inline void* current_core_object() {
    void* object;
    asm("mov %%gs:0, %0" : "=r"(object)); // SAFETY: GS base is this core's CpuTables after load_cpu_tables()
    return object;
}

/// Defined by core/: an external interrupt of the host, vectors 32..255. Interrupts are off.
void on_host_interrupt(std::uint8_t vector);
/// Defined by core/: an exception of the hypervisor itself, other than NMI.
[[noreturn]] void on_host_exception(const InterruptFrame& frame);
/// Set before the NMI that stops the other cores when a contract was violated.
void stop_all_cores();

} // namespace casemate::arch
