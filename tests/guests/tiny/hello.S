# SPDX-License-Identifier: Apache-2.0
# Says hello and powers off: cause 4, reason 1.
#include "guest.inc"
    say "hello"
    power_off
    .section .note.GNU-stack, "", @progbits
