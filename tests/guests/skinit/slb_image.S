// SPDX-License-Identifier: Apache-2.0
// The secure loader block, inside the test's launcher.
        .section .data
        .globl  slb_image, slb_image_end
slb_image:
        .incbin SLB_FILE
slb_image_end:
        .section .note.GNU-stack, "", @progbits
