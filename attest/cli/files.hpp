// SPDX-License-Identifier: Apache-2.0
// Files that the command line reads: whole and bounded.
#pragma once

#include <string>

namespace casemate::cli {

/// At most 16 MiB; "-" is standard input. Throws CannotRun.
[[nodiscard]] std::string read_file(const std::string& path);

} // namespace casemate::cli
