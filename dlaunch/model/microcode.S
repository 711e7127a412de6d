// SPDX-License-Identifier: Apache-2.0
// The part of SKINIT that a debugger cannot do from outside: segment caches, debug registers, GIF.
// SkinitModel copies it to a scratch page, enters it in real mode with CS = 0 and IP = load address, and
// single-steps it until EIP reaches microcode_done. Wherever it is linked, it runs at MICROCODE_BASE: every
// address is AT(label).
// Leaves: CS = 8 and SS = 10h flat 32-bit, EAX = CPUID.1 EAX, GDTR and IDTR as after INIT, LDTR null, GIF = 0.
#include "dlaunch/model/microcode.hpp"

#define AT(label) (MICROCODE_BASE + ((label) - microcode_begin))

        .section .rodata
        .globl microcode_begin, microcode_end, microcode_done
        .code16
microcode_begin:
        lgdtl   AT(gdt_pointer)
        xorl    %eax, %eax
        movl    %eax, %cr4
        movl    %eax, %db0
        movl    %eax, %db1
        movl    %eax, %db2
        movl    %eax, %db3
        movl    $0xffff0ff0, %eax
        movl    %eax, %db6
        movl    $0x400, %eax
        movl    %eax, %db7
        movl    $0x11, %eax             // PE, ET
        movl    %eax, %cr0
        ljmpl   $8, $AT(protected)
        .code32
protected:
        movl    $0x10, %eax
        movl    %eax, %ss
        xorl    %eax, %eax
        lldt    %ax
        movl    $1, %eax
        cpuid
        clgi
        lgdtl   AT(init_pointer)
        lidtl   AT(init_pointer)
microcode_done:
        nop
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      // flat 32-bit code, accessed
        .quad   0x00cf93000000ffff      // flat 32-bit data, accessed
gdt_pointer:
        .word   . - gdt - 1
        .long   AT(gdt)
init_pointer:
        .word   0xffff
        .long   0
microcode_end:
        .section .note.GNU-stack, "", @progbits
