// SPDX-License-Identifier: Apache-2.0
// A session's status (docs/interfaces/operator.md) for an operator's terminal and for Prometheus. Pure.
// UNTRUSTED: names and lines come from guests; nothing of them may steer a terminal or forge a metric.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace casemate::session {

/// Two tables, VMs and devices, with a line above them.
[[nodiscard]] std::string top_view(const nlohmann::json& status);
/// Without what a terminal would obey: control characters, C1 included, become '?'.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace casemate::session
