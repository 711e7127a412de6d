// SPDX-License-Identifier: Apache-2.0
// The processor instructions that C++ has no word for, one function each.
// Called by the freestanding parts of the hypervisor only; portable code never includes this file.
// SAFETY: every asm statement here names what it reads, writes and clobbers; privileged ones need CPL 0.
#pragma once

#include <cstdint>

namespace casemate::arch {

inline std::uint8_t in8(std::uint16_t port) {
    std::uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline std::uint32_t in32(std::uint16_t port) {
    std::uint32_t value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline void out8(std::uint16_t port, std::uint8_t value) {
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void out32(std::uint16_t port, std::uint32_t value) {
    asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

inline std::uint64_t read_msr(std::uint32_t index) {
    std::uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return std::uint64_t{high} << 32 | low;
}
inline void write_msr(std::uint32_t index, std::uint64_t value) {
    asm volatile("wrmsr"
                 :
                 : "c"(index), "a"(static_cast<std::uint32_t>(value)),
                   "d"(static_cast<std::uint32_t>(value >> 32))
                 : "memory");
}

struct CpuidResult {
    std::uint32_t eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
    CpuidResult r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

inline std::uint64_t read_tsc() {
    std::uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return std::uint64_t{high} << 32 | low;
}

inline std::uint64_t read_cr2() {
    std::uint64_t value;
    asm volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}
inline void write_cr3(std::uint64_t value) { asm volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }
inline std::uint64_t read_cr3() {
    std::uint64_t value;
    asm volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}
inline void write_cr4(std::uint64_t value) { asm volatile("mov %0, %%cr4" : : "r"(value) : "memory"); }
/// The class of interrupts, and those below it, that this processor holds back [APM2 8.5.2].
inline void write_cr8(std::uint64_t value) { asm volatile("mov %0, %%cr8" : : "r"(value) : "memory"); }
inline std::uint64_t read_cr8() {
    std::uint64_t value;
    asm volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}
inline void write_cr0(std::uint64_t value) { asm volatile("mov %0, %%cr0" : : "r"(value) : "memory"); }

inline std::uint64_t read_xcr0() {
    std::uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return std::uint64_t{high} << 32 | low;
}
inline void write_xcr0(std::uint64_t value) {
    asm volatile("xsetbv"
                 :
                 : "c"(0), "a"(static_cast<std::uint32_t>(value)),
                   "d"(static_cast<std::uint32_t>(value >> 32)));
}
/// `area` is 64-byte aligned and as long as CPUID leaf 0Dh says for the state components in XCR0.
inline void xsave(void* area) { asm volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory"); }
inline void xrstor(const void* area) {
    asm volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

/// DR0-DR3.
inline void read_debug_addresses(std::uint64_t (&dr)[4]) {
    asm volatile("mov %%dr0, %0" : "=r"(dr[0]));
    asm volatile("mov %%dr1, %0" : "=r"(dr[1]));
    asm volatile("mov %%dr2, %0" : "=r"(dr[2]));
    asm volatile("mov %%dr3, %0" : "=r"(dr[3]));
}
inline void write_debug_addresses(const std::uint64_t (&dr)[4]) {
    asm volatile("mov %0, %%dr0" : : "r"(dr[0]));
    asm volatile("mov %0, %%dr1" : : "r"(dr[1]));
    asm volatile("mov %0, %%dr2" : : "r"(dr[2]));
    asm volatile("mov %0, %%dr3" : : "r"(dr[3]));
}

/// From the processor's own source [APM2 RDRAND]; false when it has none to give, or no such instruction.
inline bool random_byte(std::uint8_t& byte) {
    std::uint64_t value = 0;
    bool there = false;
    if ((cpuid(1).ecx >> 30 & 1) == 0) return false;
    for (unsigned tries = 0; !there && tries < 10; ++tries) asm volatile("rdrand %0" : "=r"(value), "=@ccc"(there));
    byte = static_cast<std::uint8_t>(value);
    return there;
}

/// Nothing interrupts from here on, not even an NMI: it waits for STGI, or ends the guest that is entered next.
inline void clgi() { asm volatile("clgi" : : : "memory"); }
inline void stgi() { asm volatile("stgi" : : : "memory"); }
inline void pause() { asm volatile("pause" : : : "memory"); }
inline void disable_interrupts() { asm volatile("cli" : : : "memory"); }
/// Takes what is pending; the NOP ends the shadow of STI.
inline void open_interrupt_window() { asm volatile("sti; nop; cli" : : : "memory"); }
/// Sleeps until the next interrupt. STI's shadow reaches over HLT, so none is lost between check and sleep.
inline void wait_for_interrupt() { asm volatile("sti; hlt; cli" : : : "memory"); }

[[noreturn]] inline void halt_forever() {
    for (;;) asm volatile("cli; hlt" : : : "memory");
}

} // namespace casemate::arch
