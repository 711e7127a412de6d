// SPDX-License-Identifier: Apache-2.0
// The answer to "who holds what, on whose evidence", for a person: one row a device.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace casemate::session {

/// `report` is the object of docs/interfaces/report.md; the table uses its `devices`, `vms` and `appraisal`.
[[nodiscard]] std::string custody_table(const nlohmann::json& report);

} // namespace casemate::session
