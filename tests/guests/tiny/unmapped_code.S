# SPDX-License-Identifier: Apache-2.0
# Jumps out of its memory: cause 3, reason 12.
#include "guest.inc"
    say "jumping to 80000000"
    mov $0x80000000, %eax
    jmp *%rax
    .section .note.GNU-stack, "", @progbits
