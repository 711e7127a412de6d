# SPDX-License-Identifier: Apache-2.0
# Reads the IOMMU registers: cause 3, reason 12.
#include "guest.inc"
    say "reading FED80000"
    mov $0xfed80000, %eax
    mov (%rax), %ebx
    say "FAILED: still alive"
    power_off
    .section .note.GNU-stack, "", @progbits
