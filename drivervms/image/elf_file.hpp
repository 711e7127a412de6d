// SPDX-License-Identifier: Apache-2.0
// Reads ELF64 files [ELF gABI]: each read is checked against the end of the file and throws std::runtime_error there.
// Who calls it: elf_needed.cpp and vmlinux.cpp. What the values mean is checked by them.
#pragma once

#include "drivervms/image/cpio.hpp"

#include <cstring>
#include <elf.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace casemate::image {

template <typename T>
[[nodiscard]] T structure_at(const Bytes& file, std::uint64_t offset) {
    if (offset > file.size() || sizeof(T) > file.size() - offset) throw std::runtime_error("ELF file ends early");
    T value;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

/// To the next zero byte.
[[nodiscard]] std::string string_at(const Bytes& file, std::uint64_t offset);

/// Throws when `file` is not a little-endian ELF64.
[[nodiscard]] Elf64_Ehdr elf_header(const Bytes& file);
[[nodiscard]] std::vector<Elf64_Phdr> program_headers(const Bytes& file);

} // namespace casemate::image
