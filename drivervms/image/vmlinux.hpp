// SPDX-License-Identifier: Apache-2.0
// Lays out Linux's `vmlinux`, the ELF file that a bzImage unpacks, as it lies in memory.
// UNTRUSTED: the file. It is checked completely before anything is laid out; not one of its bytes is changed.
// Who calls it: unpacked_kernel.cpp. Pure.
#pragma once

#include "drivervms/image/cpio.hpp"

namespace casemate::image {

struct FlatKernel {
    Bytes bytes{};                 // from the kernel's first byte to the last that is not zero
    std::uint64_t memory_size = 0; // from there too: what is behind `bytes` must be zero
    std::uint64_t entry = 0;       // startup_64, in `bytes`
};

/// Linux runs at every multiple of this: startup_64 finds out where it is [Linux, arch/x86/kernel/head_64.S].
inline constexpr std::uint64_t kernel_step = 2 << 20;

/// Throws std::runtime_error with the reason.
[[nodiscard]] FlatKernel flatten(const Bytes& vmlinux);

} // namespace casemate::image
