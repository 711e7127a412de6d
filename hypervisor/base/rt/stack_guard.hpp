// SPDX-License-Identifier: Apache-2.0
// Debian's libbearssl.a is built with stack protection: its functions read a canary at %fs:0x28 on entry and
// again on return. Before the first call into dlaunch/measure/crypto.hpp each CPU must point FS base (MSR
// 0xC0000100) at this block, and again whenever a guest's FS base was loaded (VMLOAD).
#pragma once

#include <cstdint>

extern "C" {
/// Word 5 (offset 0x28) is the canary. Constant while any library function runs.
extern std::uint64_t stack_guard_block[8];
}
