// SPDX-License-Identifier: Apache-2.0
// Files that the command line reads: whole, bounded, and secrets only where nobody else can read them.
#pragma once

#include <string>

namespace casemate::cli {

/// At most 16 MiB; "-" is standard input. Throws CannotRun.
[[nodiscard]] std::string read_file(const std::string& path);

/// A token: a regular file of this user that no other user can read. Throws CannotRun with what to do.
[[nodiscard]] std::string read_token(const std::string& path);

} // namespace casemate::cli
