// SPDX-License-Identifier: Apache-2.0
// The test launcher's data and exception handlers: note the vector, skip the three bytes of SKINIT.
        .text
        .globl  note_undefined_opcode, note_general_protection
note_undefined_opcode:
        movl    $6, last_fault(%rip)
        addq    $3, (%rsp)
        iretq
note_general_protection:
        movl    $13, last_fault(%rip)
        addq    $8, %rsp                // the error code
        addq    $3, (%rsp)
        iretq

        .data
        .globl  slb_image, slb_image_end
slb_image:
        .incbin SLB_FILE
slb_image_end:
        .section .note.GNU-stack, "", @progbits
