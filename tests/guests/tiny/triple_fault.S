# SPDX-License-Identifier: Apache-2.0
# An exception without an IDT: cause 3, reason 10.
#include "guest.inc"
    say "triple fault"
    lidt empty_idt(%rip)
    ud2
empty_idt:
    .word 0
    .quad 0
    .section .note.GNU-stack, "", @progbits
