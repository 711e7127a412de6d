// SPDX-License-Identifier: Apache-2.0
// Linux's boot file: a setup header and, packed, the kernel [Linux, Documentation/x86/boot.rst]. Finds the packed kernel in Debian's
// file, and puts a kernel that is not packed into a file of the same kind.
// UNTRUSTED: the file.
// Who calls it: unpacked_kernel.cpp. Pure.
#pragma once

#include "drivervms/image/vmlinux.hpp"

#include <string>

namespace casemate::image {

struct BzImage {
    Bytes setup_header{}; // from 1F1h
    std::string method{}; // as `decompressed` takes it
    Bytes payload{};
    std::uint32_t unpacked_size = 0;
};

/// Throws std::runtime_error with the reason.
[[nodiscard]] BzImage parse_bzimage(const Bytes& file);

/// A file for a loader that keeps to the 64-bit boot protocol: one page with a jump to startup_64, so that the kernel behind it lies at
/// 2 MiB, the lowest address that it can have. For such a loader only: without a decompressor there are no 16- and 32-bit entries and
/// no random addresses. `setup_header` is the packed kernel's; what no longer holds of it is changed.
[[nodiscard]] Bytes boot_file(const Bytes& setup_header, const FlatKernel& kernel);

} // namespace casemate::image
