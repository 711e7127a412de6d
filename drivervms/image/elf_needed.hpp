// SPDX-License-Identifier: Apache-2.0
// Which shared objects a dynamic program loads: PT_INTERP and DT_NEEDED [ELF gABI 5], read from the file, so that
// nothing of the build machine's environment (LD_LIBRARY_PATH, preloads) can change an image.
// Who calls it: casemate-image. Libraries that a program opens by dlopen are not found.
#pragma once

#include "drivervms/image/cpio.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace casemate::image {

struct Needed {
    std::string interpreter{}; // empty for a library or a static program
    std::vector<std::string> libraries{};
};

/// Throws std::runtime_error when `file` is not a little-endian ELF64 or ends early.
[[nodiscard]] Needed needed_by(const Bytes& file);

/// All libraries that `program` loads, transitively, and its interpreter: where they are to lie in the image, and
/// the file on this machine. Throws std::runtime_error when one is found in no library directory.
[[nodiscard]] std::vector<std::pair<std::string, std::filesystem::path>>
libraries_of(const std::filesystem::path& program);

} // namespace casemate::image
