# SPDX-License-Identifier: Apache-2.0
# Where the SLB enters (docs/interfaces/launch.md): RDI = BootInfo, interrupts off, GIF = 0, the SLB's page tables.
    .section .text.entry, "ax"
    .globl _start
_start:
    lea boot_stack_end(%rip), %rsp
    xor %ebp, %ebp
    cld
    call hypervisor_main        # does not return
    ud2

    .bss
    .balign 16
boot_stack:
    .skip 32768
boot_stack_end:
    .section .note.GNU-stack, "", @progbits
