# SPDX-License-Identifier: Apache-2.0
# Executes the I/O APIC: cause 3, reason 14, the instruction cannot be fetched.
#include "guest.inc"
    say "jumping to FEC00000"
    mov $0xfec00000, %eax
    jmp *%rax
    .section .note.GNU-stack, "", @progbits
