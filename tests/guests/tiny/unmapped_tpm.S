# SPDX-License-Identifier: Apache-2.0
# Writes to TPM locality 2, by which it would forge the ledger: cause 3, reason 12.
#include "guest.inc"
    say "writing FED42000"
    mov $0xfed42000, %eax
    movb $2, (%rax)
    say "FAILED: still alive"
    power_off
    .section .note.GNU-stack, "", @progbits
