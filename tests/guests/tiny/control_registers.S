# SPDX-License-Identifier: Apache-2.0
# Invalid values in control registers: #GP, or the end of the VM with cause 3, reason 11 where the emulator
#include "guest.inc"
# checks them only at the next entry. Either way nothing else happens.
    mov %cr4, %rax
    bts $40, %rax
    expect 13, mov %rax, %cr4
    mov $0xC0000080, %ecx       # EFER.SVME is hidden and refused
    rdmsr
    bt $12, %eax
    mov $12, %r15
    mov $0x100, %edi
    jc failed
    bts $12, %eax
    expect 13, wrmsr
    rdmsr
    btr $8, %eax                # LME off while paging is on
    expect 13, wrmsr
    say "refused"
    power_off
    .section .note.GNU-stack, "", @progbits
