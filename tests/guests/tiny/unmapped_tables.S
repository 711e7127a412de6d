# SPDX-License-Identifier: Apache-2.0
# Page tables outside its memory: cause 3, reason 12.
#include "guest.inc"
    say "CR3 = 80000000"
    mov $0x80000000, %eax
    mov %rax, %cr3
    say "FAILED: still alive"
    power_off
    .section .note.GNU-stack, "", @progbits
