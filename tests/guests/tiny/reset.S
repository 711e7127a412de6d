# SPDX-License-Identifier: Apache-2.0
# Writes the ACPI reset register: cause 4, reason 2.
#include "guest.inc"
    mov $0x600, %dx
    mov $1, %al
    out %al, %dx
    jmp .
    .section .note.GNU-stack, "", @progbits
