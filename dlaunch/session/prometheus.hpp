// SPDX-License-Identifier: Apache-2.0
// A session's status in Prometheus' text exposition format 0.0.4; the names are listed in docs/interfaces/operator.md. Pure.
// UNTRUSTED: names come from guests' reports; as label values they are escaped, so none can forge a metric.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace casemate::session {

/// What is not known is left out.
[[nodiscard]] std::string prometheus_text(const nlohmann::json& status);

} // namespace casemate::session
