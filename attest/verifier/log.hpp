// SPDX-License-Identifier: Apache-2.0
// One JSON object a line on standard error. Values are escaped by the JSON writer, so no client can forge a line.
// Callers never pass secrets, tokens, nonces or evidence.
#pragma once

#include "attest/verifier/json.hpp"

namespace casemate::verifier {

enum class LogLevel { info, warning, error };

/// `{"time":..,"level":..,"event":..,<fields>}`; safe from several threads.
void log(LogLevel level, std::string_view event, const Json& fields = Json::object());

/// Tests and --quiet: nothing below this level is written.
void set_log_level(LogLevel least);
[[nodiscard]] bool is_logged(LogLevel level);

} // namespace casemate::verifier
