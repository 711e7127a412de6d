// SPDX-License-Identifier: Apache-2.0
// Where microcode.S runs, and its bytes.
#pragma once

/// A scratch place in conventional memory; what was there is put back.
#define MICROCODE_BASE 0x7000

#ifndef __ASSEMBLER__
#include <cstdint>
extern "C" {
extern const std::uint8_t microcode_begin[];
extern const std::uint8_t microcode_done[];
extern const std::uint8_t microcode_end[];
}
#endif
