// SPDX-License-Identifier: Apache-2.0
// The child's side of fork() in tests: becomes a program that ends with this one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace casemate::fleet {

/// Both outputs go to `log`; `environment` ("NAME=value") is added. Signals that this program blocks must reach the other, so none is blocked.
/// The name is looked up in PATH when it has no slash. Status 127 when it cannot be started.
[[noreturn]] void become(const std::vector<std::string>& command, const std::filesystem::path& log,
                         const std::vector<std::string>& environment = {});

} // namespace casemate::fleet
