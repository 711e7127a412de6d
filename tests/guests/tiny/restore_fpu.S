# SPDX-License-Identifier: Apache-2.0
# Never ends by itself, has no interrupt and no exit, and loads its FPU all the time: QEMU 7.2 then writes, without a lock, to
# the flags of the machine's first processor (docs/adr/0009). Other VMs, of its core too, must go on.
#include "guest.inc"
    say "restoring"
    cli
    mov $0x1060000, %rax        # 512 bytes of zero: a valid FXSAVE image
1:  fxrstor (%rax)
    jmp 1b
    .section .note.GNU-stack, "", @progbits
