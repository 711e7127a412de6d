# SPDX-License-Identifier: Apache-2.0
# The Multiboot2 kernel that GRUB or tboot starts [MULTIBOOT2 3.1, 3.3]: EAX = magic, EBX = information, 32-bit protected mode, paging
# off, interrupts off. Goes to 64-bit mode for hand_over(magic, information), and with what that returns, the SLB's base, back to the
# state in which SKINIT would enter the SLB: EAX = base, ESP = base + 64 KiB. No launch was measured; the SLB sees that in the TPM.
    .set code32, 0x08
    .set data,   0x10
    .set code64, 0x18

    .section .text.entry, "ax"
    .balign 8
multiboot2_header:
    .long 0xe85250d6, 0, multiboot2_header_end - multiboot2_header, -(0xe85250d6 + multiboot2_header_end - multiboot2_header)
    .short 6, 0                 # modules are page aligned
    .long 8
    .short 0, 0                 # end
    .long 8
multiboot2_header_end:

    .code32
    .globl _start
_start:
    cli
    cld
    movl $stack_end, %esp
    movl %eax, %esi             # ESI = magic, EBX = information
    lgdtl gdt_pointer
    ljmpl $code32, $1f
1:  movw $data, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    # 4 GiB at their own addresses, in 2 MiB pages
    movl $(directory_pointers + 3), root
    xorl %ecx, %ecx
2:  movl %ecx, %eax
    shll $12, %eax
    addl $(directories + 3), %eax
    movl %eax, directory_pointers(, %ecx, 8)
    incl %ecx
    cmpl $4, %ecx
    jne 2b
    xorl %ecx, %ecx
3:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax             # PS, RW, P
    movl %eax, directories(, %ecx, 8)
    incl %ecx
    cmpl $2048, %ecx
    jne 3b
    movl $0x20, %eax            # CR4: PAE
    movl %eax, %cr4
    movl $root, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx      # EFER: LME
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80000011, %eax      # CR0: PG, ET, PE
    movl %eax, %cr0
    ljmpl $code64, $4f

    .code64
4:  movl %esi, %edi
    movl %ebx, %esi
    xorl %ebp, %ebp
    call hand_over
    movl %eax, %ebx
    pushq $code32
    pushq $5f
    lretq

    .code32
5:  movl $0x11, %eax            # paging off, then long mode
    movl %eax, %cr0
    movl $0xc0000080, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    xorl %eax, %eax
    movl %eax, %cr4
    movl %ebx, %eax
    leal 0x10000(%ebx), %esp
    movzwl (%ebx), %ecx         # SlbHeader: entry
    addl %ebx, %ecx
    jmp *%ecx

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    # code32: base 0, 4 GiB, execute/read
    .quad 0x00cf93000000ffff    # data
    .quad 0x00af9b000000ffff    # code64
gdt_end:
gdt_pointer:
    .short gdt_end - gdt - 1
    .long gdt

    .bss
    .balign 4096
root:               .skip 4096
directory_pointers: .skip 4096
directories:        .skip 4 * 4096
    .skip 16384
stack_end:
    .section .note.GNU-stack, "", @progbits
