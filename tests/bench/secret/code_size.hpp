// SPDX-License-Identifier: Apache-2.0
// How much of a trusted program is there for the owner's policy, by the sizes of its symbols [ELF-64, symbol table].
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace casemate::bench::secret {

/// Bytes of code and constant data: "policy" (bundle, payload, rules), "envelope" (COSE), "cryptography" (BearSSL), "all".
using CodeSize = std::map<std::string, std::uint64_t>;

/// Empty for what is no 64-bit ELF file with symbols.
[[nodiscard]] CodeSize code_size(ByteView elf);
[[nodiscard]] CodeSize code_size(const std::filesystem::path& elf);

} // namespace casemate::bench::secret
