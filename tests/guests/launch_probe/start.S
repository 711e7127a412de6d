// SPDX-License-Identifier: Apache-2.0
    .section .text.start, "ax"
    .globl _start
_start:
    lea stack_end(%rip), %rsp
    call probe_main
    .bss
    .balign 16
    .skip 8192
stack_end:
