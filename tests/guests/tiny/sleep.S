# SPDX-License-Identifier: Apache-2.0
# Sleeps for ever with interrupts off.
#include "guest.inc"
    say "sleeping"
1:  cli
    hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
