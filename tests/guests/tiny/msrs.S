# SPDX-License-Identifier: Apache-2.0
# Registers beyond the allow-list are #GP; the guest lives: cause 4, reason 1.
#include "guest.inc"
    .macro refused msr
    mov $\msr, %ecx
    expect 13, rdmsr
    xor %eax, %eax
    xor %edx, %edx
    expect 13, wrmsr
    .endm
    refused 0xC0010117          # VM_HSAVE_PA
    refused 0xC0010114          # VM_CR
    refused 0xC0010030          # processor name
    refused 0xC0010055
    refused 0xC0000104          # TSC ratio
    refused 0x200               # variable MTRR
    refused 0x250
    refused 0x9e
    refused 0x40000000
    refused 0x4b564d02
    refused 0xffffffff
    mov $0x1b, %ecx             # APIC base: moving it is refused
    mov $0xfed40d00, %eax
    xor %edx, %edx
    expect 13, wrmsr
    mov $0x4b564d01, %ecx       # the clock outside its memory
    mov $0x80000001, %eax
    expect 13, wrmsr
    mov $0x4b564d04, %ecx       # paravirtual EOI outside its memory
    mov $0x80000001, %eax
    expect 13, wrmsr
    mov $0x277, %ecx            # PAT with a reserved type
    mov $0x02, %eax
    expect 13, wrmsr
    command 0xC4500, 0xC4608, 0xC4400, 0xC4200 # INIT, SIPI, NMI, SMI: nobody is there
    say "refused"
    power_off
    .section .note.GNU-stack, "", @progbits
