# SPDX-License-Identifier: Apache-2.0
# 256 interrupt gates, 16 bytes each; every one leaves an InterruptFrame (cpu_tables.hpp) and calls interrupt_entry.
    .text
    .globl interrupt_gates
    .balign 16
interrupt_gates:
    .set vector, 0
    .rept 256
    .balign 16
    # vectors that push an error code themselves [APM2 8.2]
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    push $0
    .endif
    push $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

    .section .text.hot, "ax"
interrupt_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    mov %rsp, %rdi
    push %rbx                   # kept across the call; realigns nothing by itself
    mov %rsp, %rbx
    and $-16, %rsp
    cld
    call interrupt_entry
    mov %rbx, %rsp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp               # vector, error code
    iretq
    .section .note.GNU-stack, "", @progbits
