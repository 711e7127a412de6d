# SPDX-License-Identifier: Apache-2.0
# Every instruction that would reach the hypervisor or SVM is refused, and the guest lives: cause 4, reason 1.
#include "guest.inc"
    mov $0x1001000, %eax
    expect 6, vmrun %rax
    expect 6, vmload %rax
    expect 6, vmsave %rax
    expect 6, stgi
    expect 6, clgi
    xor %ecx, %ecx
    expect 6, invlpga %rax, %ecx
    mov $0x1001000, %eax
    expect 6, .byte 0x0f, 0x01, 0xde # SKINIT
    expect 6, monitor
    xor %ecx, %ecx
    expect 13, rdpmc
    quiet wbinvd
    mov $4096, %ebp
1:  mov %ebp, %eax              # hypercalls that do not exist
    mov %rbp, %rbx
    mov $-1, %rcx
    vmmcall
    cmp $-1000, %rax
    jne 2f
    dec %ebp
    jnz 1b
    say "refused"
    power_off
2:  mov %rax, %r15
    mov $0x100, %edi
    jmp failed
    .section .note.GNU-stack, "", @progbits
