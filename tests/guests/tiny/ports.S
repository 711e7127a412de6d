# SPDX-License-Identifier: Apache-2.0
# Reads and writes all 65,536 ports but its own: reads give ones, writes do nothing: cause 4, reason 1.
#include "guest.inc"
    xor %ebp, %ebp
1:  cmp $0x600, %bp             # its ways out
    je 4f
    cmp $0x601, %bp
    je 4f
    mov %ebp, %eax
    and $0xfff8, %eax
    cmp $0x3f8, %eax            # console
    je 4f
    cmp $0xcf8, %eax            # PCI configuration
    je 4f
    mov %ebp, %edx
    in %dx, %al
    cmp $0x602, %bp             # sleep status
    je 3f
    cmp $0xff, %al
    jne 5f
3:  mov $0xa5, %al
    out %al, %dx
    mov $0xa5a5a5a5, %eax
    cmp $0x5fe, %bp             # a wide access reaches no neighbour
    je 4f
    out %eax, %dx
4:  inc %ebp
    cmp $0x10000, %ebp
    jne 1b
    mov $0x70, %edx
    expect 13, outsb
    say "refused"
    power_off
5:  movzx %bp, %r15d
    mov $0x100, %edi
    jmp failed
    .section .note.GNU-stack, "", @progbits
