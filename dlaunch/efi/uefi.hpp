// SPDX-License-Identifier: Apache-2.0
// GNU-EFI's headers for C++: they are C. Firmware functions have the Microsoft calling convention by their type.
#pragma once

extern "C" {
#include <efi.h>
}
// efi.h's macros that collide with ours.
#undef NULL
