// SPDX-License-Identifier: Apache-2.0
// First instructions of the dynamic launch. State on entry, made by SKINIT [APM2 15.27.4]:
//   EAX  SLB base      ESP  SLB base + 64 KiB      EIP  SLB base + header's entry
//   CS, SS  flat, 32 bits      DS, ES, FS, GS  undefined: only SS may be used for data until our GDT is loaded
//   CR0  PE only      EFER  0      interrupts off, GIF = 0      other registers 0
// Leaves for slb_main(base, tsc) in 64-bit mode: all physical memory below 512 GiB at its own address (3 to 4 GiB
// uncached), the stack at the SLB's end, our relocations applied. The code is position-independent: the base is the launcher's choice.
// Everything behind the measured bytes was written by the launcher, so .bss is cleared before it is used.

    .set    code32, 0x08
    .set    data,   0x10
    .set    code64, 0x18
    .set    header_size, 32                     // slb.lds: SlbHeader, then two words for us
    .set    header_bss, 16                      // offset of .bss
    .set    header_bss_words, 20                // its size in 32-bit words
    .set    early_root_at, 0                    // offsets in .bss
    .set    early_low_at,  4096
    .set    post_port, 0x80
    .set    post_no_processor_support, 0xc1     // docs/launch-failures.md, code 1

    .section .text.entry, "ax"
text_start:
    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff                  // code32: base 0, 4 GiB, execute/read
    .quad   0x00cf93000000ffff                  // data: base 0, 4 GiB, read/write
    .quad   0x00af9b000000ffff                  // code64
gdt_end:

    .code32
    .globl  slb_entry
slb_entry:
    cli
    cld
    movl    %eax, %ebp                          // EBP = SLB base from here on
    leal    0x10000(%eax), %esp                 // what SKINIT promises, and what a start without it may not
    rdtsc
    movl    %eax, %esi
    movl    %edx, %edi                          // EDI:ESI = launch time

    leal    (gdt - text_start + header_size)(%ebp), %eax
    pushl   %eax
    pushw   $(gdt_end - gdt - 1)
    lgdtl   %ss:(%esp)
    addl    $6, %esp
    movw    $data, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    %ax, %ss
    pushl   $code32
    leal    (1f - text_start + header_size)(%ebp), %eax
    pushl   %eax
    lretl
1:
    pushl   %edi
    pushl   %esi
    // Long mode and 1 GiB pages: every processor with SKINIT and an IOMMU has them.
    movl    $0x80000001, %eax
    cpuid
    btl     $29, %edx
    jnc     unsupported
    btl     $26, %edx
    jnc     unsupported

    movl    header_bss(%ebp), %ebx
    addl    %ebp, %ebx                          // EBX = .bss
    movl    %ebx, %edi
    movl    header_bss_words(%ebp), %ecx
    xorl    %eax, %eax
    rep stosl

    // early_root[0] -> early_low[0..511] = 1 GiB identity pages
    leal    (early_low_at + 3)(%ebx), %eax
    movl    %eax, early_root_at(%ebx)
    leal    (early_low_at)(%ebx), %edi
    xorl    %ecx, %ecx
2:  movl    %ecx, %eax
    shll    $30, %eax
    orl     $0x83, %eax                         // PS, RW, P
    movl    %ecx, %edx
    shrl    $2, %edx
    movl    %eax, (%edi, %ecx, 8)
    movl    %edx, 4(%edi, %ecx, 8)
    incl    %ecx
    cmpl    $512, %ecx
    jne     2b
    orl     $0x18, 24(%edi)                     // 3..4 GiB, where the registers are: PCD, PWT

    movl    $0xc0000080, %ecx                   // EFER: LME, NXE
    rdmsr
    orl     $0x900, %eax
    wrmsr
    movl    $0x20, %eax                         // CR4: PAE only
    movl    %eax, %cr4
    leal    early_root_at(%ebx), %eax
    movl    %eax, %cr3
    movl    $0x80010033, %eax                   // CR0: PG, WP, NE, ET, MP, PE
    movl    %eax, %cr0
    popl    %esi
    popl    %edi
    pushl   $code64
    leal    (5f - text_start + header_size)(%ebp), %eax
    pushl   %eax
    lretl

unsupported:
    movb    $post_no_processor_support, %al
    outb    %al, $post_port
6:  hlt
    jmp     6b

    .code64
5:  movl    %ebp, %ebp                          // upper halves are undefined after the switch of mode
    leaq    0x10000(%rbp), %rsp
    movl    %esi, %esi
    shlq    $32, %rdi
    orq     %rdi, %rsi                          // RSI = launch time

    // FS base: a library compiled with a stack protector reads its canary at FS:0x28.
    leaq    stack_guard_block(%rip), %rax
    movq    %rax, %rdx
    shrq    $32, %rdx
    movl    $0xc0000100, %ecx
    wrmsr

    // Relocations in RELR form [ELF gABI, SHT_RELR]: an even word is the offset of a word to which the base is added,
    // an odd one says by its bits 1..63 which of the 63 words after the last such word get it too.
    leaq    relocations_start(%rip), %rax
    leaq    relocations_end(%rip), %rcx
7:  cmpq    %rcx, %rax
    jae     11f
    movq    (%rax), %rdx
    addq    $8, %rax
    testb   $1, %dl
    jnz     8f
    leaq    (%rbp, %rdx), %rbx
    addq    %rbp, (%rbx)
    addq    $8, %rbx
    jmp     7b
8:  movq    %rbx, %rdi
    addq    $(63 * 8), %rbx
9:  shrq    %rdx
    jz      7b
    testb   $1, %dl
    jz      10f
    addq    %rbp, (%rdi)
10: addq    $8, %rdi
    jmp     9b
11:
    movq    %rbp, %rdi
    xorl    %ebp, %ebp
    pushq   $0
    jmp     slb_main

// The page of the jump: copied to its own page, entered there with RDI = BootInfo, RSI = entry, RDX = new CR3.
    .globl  jump_code, jump_code_end
jump_code:
    movq    %rdx, %cr3
    jmp     *%rsi
jump_code_end:

    .section .bss.pages, "aw", @nobits
    .balign 4096
    .globl  early_root
early_root: .skip 4096
early_low:  .skip 4096

