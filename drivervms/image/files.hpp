// SPDX-License-Identifier: Apache-2.0
// Whole files in and out, their digest, and compression as Linux's kernel, modules and initial RAM file system have it.
// Who calls it: casemate-image and casemate-kernel. Everything throws std::runtime_error with the file's name in it.
#pragma once

#include "drivervms/image/cpio.hpp"

#include <filesystem>
#include <string>

namespace casemate::image {

[[nodiscard]] Bytes read_file(const std::filesystem::path& path);

/// Writes beside the target and renames, so that a reader never sees half a file.
void write_file(const std::filesystem::path& path, const Bytes& bytes);

[[nodiscard]] std::string sha256_hex(const Bytes& bytes);

/// `method`: "none" or "zstd". Runs the tool of that name; one thread and fixed options, so that the same
/// version of the tool gives the same bytes.
[[nodiscard]] Bytes compressed(const Bytes& bytes, const std::string& method);

/// `method`: "xz", "zstd" or "lz4", whose frames of the kernel's kind have no end mark: what follows must be cut off.
[[nodiscard]] Bytes decompressed(const Bytes& bytes, const std::string& method);

/// A kernel module as the kernel wants it: undoes the .xz or .zst of distributions that ship them compressed.
[[nodiscard]] Bytes read_module(const std::filesystem::path& path);

} // namespace casemate::image
