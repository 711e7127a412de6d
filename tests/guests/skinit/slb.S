// SPDX-License-Identifier: Apache-2.0
// A secure loader block that tells, on COM1, the state in which SKINIT started it, checks that GIF is 0 by a
// self-IPI that must stay pending until STGI, and ends QEMU with status 0x21. Run by casemate-model-test.
//
//   @slb eax=.. edx=.. esp=.. ebx=.. ecx=.. esi=.. edi=.. ebp=.. cs=.. ss=.. cr0=.. cr3=.. cr4=.. eflags=.. efer=..
//   @slb gif_held=1 gif_released=1
#define COM1            0x3f8
#define LAPIC           0xfee00000
#define LAPIC_EOI       0xb0
#define LAPIC_SVR       0xf0
#define LAPIC_ICR       0x300
#define IPI_VECTOR      0x50
#define EFER            0xc0000080
#define UNMEASURED      0x8000          // offset of the IDT and the variables, behind the measured bytes
#define SEEN            (UNMEASURED + 0x900)

        .macro  say text
        call    1f
        .asciz  "\text"
1:      popl    %esi
        call    print
        .endm

        .macro  tell name, register
        pushl   \register
        say     " \name="
        popl    %eax
        call    print_hex
        .endm

        .code32
        .text
        .globl  slb
slb:    .word   entry - slb
        .word   slb_end - slb
        .ascii  "casemate test secure loader"
        .balign 16
entry:  pushfl                          // the stack, unlike DS, is usable at once
        pushl   %ebp
        pushl   %edi
        pushl   %esi
        pushl   %ecx
        pushl   %ebx
        pushl   %edx
        pushl   %eax
        movl    %esp, %ebx
        addl    $32, %ebx
        movl    %eax, %ebp              // the base, from here on
        leal    (gdt - slb)(%ebp), %eax
        pushl   %eax
        pushw   $(3 * 8 - 1)
        lgdtl   (%esp)
        addl    $6, %esp
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        say     "@slb"
        popl    %eax
        tell    eax, %eax
        popl    %edx
        tell    edx, %edx
        tell    esp, %ebx
        popl    %eax
        tell    ebx, %eax
        popl    %eax
        tell    ecx, %eax
        popl    %eax
        tell    esi, %eax
        popl    %eax
        tell    edi, %eax
        popl    %eax
        tell    ebp, %eax
        movl    %cs, %eax
        tell    cs, %eax
        movl    %ss, %eax
        tell    ss, %eax
        movl    %cr0, %eax
        tell    cr0, %eax
        movl    %cr3, %eax
        tell    cr3, %eax
        movl    %cr4, %eax
        tell    cr4, %eax
        popl    %eax
        tell    eflags, %eax
        movl    $EFER, %ecx
        rdmsr
        tell    efer, %eax
        say     "\n"

        call    make_idt
        movl    $LAPIC, %edi
        movl    $0x1ff, LAPIC_SVR(%edi)
        sti
        movl    $(0x44000 | IPI_VECTOR), LAPIC_ICR(%edi)
        call    wait
        movl    SEEN(%ebp), %eax
        xorl    $1, %eax
        pushl   %eax
        say     "@slb"
        popl    %eax
        tell    gif_held, %eax
        stgi
        call    wait
        movl    SEEN(%ebp), %eax
        tell    gif_released, %eax
        say     "\n@slb done\n"
        cli
        movl    $0x10, %eax
        movl    $0xf4, %edx
        outl    %eax, %dx
1:      hlt
        jmp     1b

wait:   movl    $1000000, %ecx
1:      loop    1b
        ret

// All vectors go to `ignore`, the IPI's to `note`.
make_idt:
        leal    UNMEASURED(%ebp), %edi
        leal    (ignore - slb)(%ebp), %eax
        movl    $256, %ecx
1:      call    set_gate
        loop    1b
        leal    (UNMEASURED + 8 * IPI_VECTOR)(%ebp), %edi
        leal    (note - slb)(%ebp), %eax
        call    set_gate
        movl    $0, SEEN(%ebp)
        leal    UNMEASURED(%ebp), %eax
        pushl   %eax
        pushw   $(256 * 8 - 1)
        lidtl   (%esp)
        addl    $6, %esp
        ret

// 32-bit interrupt gate at EDI to EAX; EDI moves on.
set_gate:
        movw    %ax, (%edi)
        movw    $8, 2(%edi)
        movw    $0x8e00, 4(%edi)
        movl    %eax, %edx
        shrl    $16, %edx
        movw    %dx, 6(%edi)
        addl    $8, %edi
        ret

note:   movl    $1, SEEN(%ebp)
ignore: movl    $0, LAPIC + LAPIC_EOI
        iretl

// Zero-terminated text at ESI.
print:  lodsb
        testb   %al, %al
        jz      1f
        call    put
        jmp     print
1:      ret

print_hex:
        movl    %eax, %ecx
        movl    $8, %edi
1:      roll    $4, %ecx
        movl    %ecx, %eax
        andl    $15, %eax
        movb    (hex_digits - slb)(%ebp, %eax), %al
        call    put
        decl    %edi
        jnz     1b
        ret

put:    pushl   %edx
        movb    %al, %ah
        movl    $(COM1 + 5), %edx
1:      inb     %dx, %al
        testb   $0x20, %al
        jz      1b
        movb    %ah, %al
        movl    $COM1, %edx
        outb    %al, %dx
        popl    %edx
        ret

hex_digits:
        .ascii  "0123456789abcdef"
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
slb_end:
        .section .note.GNU-stack, "", @progbits
