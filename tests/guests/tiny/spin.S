# SPDX-License-Identifier: Apache-2.0
# Never ends by itself: no interrupt, no exit. Only stop() ends it; other VMs of its core must go on.
#include "guest.inc"
    say "spinning"
    cli
    jmp .
    .section .note.GNU-stack, "", @progbits
