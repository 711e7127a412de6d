# SPDX-License-Identifier: Apache-2.0
# The world switch; contract in svm.hpp. GuestRegisters slot n is at 8 * n.
    .section .text.hot, "ax"
    .globl svm_run, svm_save_host

svm_save_host:
    mov %rdi, %rax
    vmsave %rax
    ret

svm_run:                        # rdi = guest VMCB, rsi = GuestRegisters, rdx = host VMCB
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rsi                   # 8(%rsp)
    push %rdx                   # 0(%rsp)
    clgi                        # nothing can come from here ...
    sti                         # ... but with IF=1 a physical interrupt ends guest mode [APM2 15.21.1]
    mov %rdi, %rax
    mov 1*8(%rsi), %rcx
    mov 2*8(%rsi), %rdx
    mov 3*8(%rsi), %rbx
    mov 5*8(%rsi), %rbp
    mov 7*8(%rsi), %rdi
    mov 8*8(%rsi), %r8
    mov 9*8(%rsi), %r9
    mov 10*8(%rsi), %r10
    mov 11*8(%rsi), %r11
    mov 12*8(%rsi), %r12
    mov 13*8(%rsi), %r13
    mov 14*8(%rsi), %r14
    mov 15*8(%rsi), %r15
    mov 6*8(%rsi), %rsi
    vmload %rax
    vmrun %rax
    vmsave %rax                 # RAX and RSP are the host's again, everything else is the guest's
    xchg %rsi, 8(%rsp)          # rsi = GuestRegisters, the guest's RSI on the stack
    mov %rcx, 1*8(%rsi)
    mov %rdx, 2*8(%rsi)
    mov %rbx, 3*8(%rsi)
    mov %rbp, 5*8(%rsi)
    mov %rdi, 7*8(%rsi)
    mov %r8, 8*8(%rsi)
    mov %r9, 9*8(%rsi)
    mov %r10, 10*8(%rsi)
    mov %r11, 11*8(%rsi)
    mov %r12, 12*8(%rsi)
    mov %r13, 13*8(%rsi)
    mov %r14, 14*8(%rsi)
    mov %r15, 15*8(%rsi)
    mov 8(%rsp), %rax
    mov %rax, 6*8(%rsi)
    pop %rax                    # host VMCB
    vmload %rax
    cli
    stgi                        # ... to here; an NMI finds the host's GS and TR
    add $8, %rsp
    cld
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .section .note.GNU-stack, "", @progbits
