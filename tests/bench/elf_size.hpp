// SPDX-License-Identifier: Apache-2.0
// Text, data and bss of an ELF file, as size(1) counts them: text holds everything that is
// loaded and either executed or not written.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <filesystem>
#include <optional>

namespace casemate::bench {

struct ElfSize {
    std::uint64_t text = 0;
    std::uint64_t data = 0;
    std::uint64_t bss = 0;
};

/// nullopt when it is no 64-bit ELF file with sections.
[[nodiscard]] std::optional<ElfSize> elf_size(ByteView file);
[[nodiscard]] std::optional<ElfSize> elf_size(const std::filesystem::path& file);

} // namespace casemate::bench
