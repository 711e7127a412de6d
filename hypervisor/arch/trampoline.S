# SPDX-License-Identifier: Apache-2.0
# Where the other cores start: real mode, CS = page >> 4, IP = 0. Copied to a page below 1 MiB by start_cores.cpp, which
# fills in the three words at the end. Straight to long mode [APM2 14.8]: PAE, EFER.LME, then PE and PG at once.
    .section .rodata.trampoline, "a"
    .globl trampoline_start, trampoline_end, trampoline_words, trampoline_gdt_base, trampoline_far_target
    .code16
trampoline_start:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    mov $0x20, %eax             # CR4.PAE
    mov %eax, %cr4
    mov trampoline_words - trampoline_start, %eax
    mov %eax, %cr3
    mov $0xC0000080, %ecx       # EFER: LME, NXE
    mov $0x900, %eax
    xor %edx, %edx
    wrmsr
    mov $0x80010033, %eax       # CR0: PG WP NE ET MP PE
    mov %eax, %cr0
    lgdtl gdt_register - trampoline_start
    ljmpl *(trampoline_far_target - trampoline_start)
    .balign 8
gdt:
    .quad 0, 0x00AF9B000000FFFF
gdt_register:
    .word 15
trampoline_gdt_base:
    .long gdt - trampoline_start        # + page, see trampoline_words
    .balign 8
trampoline_far_target:
    .long long_mode - trampoline_start  # + page
    .word 8
    .code64
    .balign 8
long_mode:
    jmp *core_entry_address(%rip)
    .balign 8
trampoline_words:
    .quad 0                     # page-table root
core_entry_address:
    .quad 0                     # core_entry
trampoline_end:

# Every started core takes the next number and its stack; a number too many sleeps.
    .section .text
    .globl core_entry
core_entry:
    mov $1, %edi
    lock xadd %edi, started_cores(%rip)
    cmp core_stack_count(%rip), %edi
    jae 1f
    mov %edi, %eax
    inc %eax
    shl $15, %rax               # core_stack_size
    add core_stacks(%rip), %rax
    mov %rax, %rsp
    xor %ebp, %ebp
    call core_main              # does not return
1:  cli
    hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
