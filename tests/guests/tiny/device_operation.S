# SPDX-License-Identifier: Apache-2.0
# A read-modify-write of device memory, which is not emulated: cause 3, reason 13.
#include "guest.inc"
    say "lock add to FEC00000"
    mov $0xfec00000, %eax
    lock addl $1, (%rax)
    say "FAILED: still alive"
    power_off
    .section .note.GNU-stack, "", @progbits
