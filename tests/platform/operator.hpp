// SPDX-License-Identifier: Apache-2.0
// An operator of a session that the test itself drives: asks on the session's socket while the session runs.
#pragma once

#include "tests/platform/fixture.hpp"

#include <nlohmann/json.hpp>

namespace casemate::platform_test {

/// `directory` is SessionConfig::operator_directory. "" when the session agrees, else its sentence.
[[nodiscard]] std::string answer(Session& session, const std::filesystem::path& directory, const nlohmann::json& request,
                                 nlohmann::json* whole = nullptr);
/// `what`: stop, start or restart.
[[nodiscard]] std::string order(Session& session, const std::filesystem::path& directory, const char* what, const char* vm);

} // namespace casemate::platform_test
