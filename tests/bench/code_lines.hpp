// SPDX-License-Identifier: Apache-2.0
// Lines of code: those that hold anything but blanks and comments (`//` and `/* */`, outside of string and character
// literals). Counted of C++, assembly and linker scripts alike.
#pragma once

#include <filesystem>
#include <set>
#include <string_view>

namespace casemate::bench {

[[nodiscard]] std::size_t code_lines(std::string_view source);

using Files = std::set<std::filesystem::path>;

[[nodiscard]] std::size_t code_lines(const Files& files);
/// Sources, headers, assembly and linker scripts under `directory`.
[[nodiscard]] Files source_files(const std::filesystem::path& directory);
/// The files under `source` that ninja compiled into `target`, headers included; empty when ninja does not know.
[[nodiscard]] Files compiled_into(const std::filesystem::path& build, const std::string& target,
                                  const std::filesystem::path& source);

} // namespace casemate::bench
