# SPDX-License-Identifier: Apache-2.0
# Does all that it can to keep a core that it has for itself (docs/adr/0018), and never ends by itself: whoever stops it must get the core.
#include "guest.inc"
    .macro write msr, value
    mov $\msr, %ecx
    mov $\value, %eax
    xor %edx, %edx
    wrmsr
    .endm
    expect 13, write 0x1b, 0xfee00900 # no x2APIC any more
    command 0xC4500, 0xC4608, 0xC4400, 0xC40EE, 0x440 # INIT, start-up, NMI, interrupts to all others; NMI to itself
    quiet write 0x832, 0x20040  # a periodic timer of a millisecond: with a shorter one QEMU is busy, not the hypervisor (docs/threat-model.md)
    quiet write 0x83e, 0xb
    quiet write 0x838, 1000000
    quiet write 0x83f, 0x40     # interrupts to itself that it never takes, the hypervisor's own vectors among them
    quiet write 0x83f, 0x12     # an exception's number: the hypervisor's own machine check, if it ever took it
    command 0x44012
    quiet write 0x83f, 0xee
    quiet write 0x83f, 0xef
    quiet write 0x83f, 0xff
    quiet write 0x808, 0xff     # nothing is urgent enough
    quiet write 0x80f, 0        # its APIC off, as far as it is allowed to
    say "holding"
1:  cli
    hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
