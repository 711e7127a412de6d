// SPDX-License-Identifier: Apache-2.0
// Tables for a person. The first is the answer to "who holds what, on whose evidence", for a person: one row a device.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace casemate::session {

using Row = std::vector<std::string>;
/// The rows, the first of them the heading, in columns; two spaces before each line.
[[nodiscard]] std::string aligned(const std::vector<Row>& rows);

/// `report` is the object of docs/interfaces/report.md; the table uses its `devices`, `vms` and `appraisal`.
[[nodiscard]] std::string custody_table(const nlohmann::json& report);

} // namespace casemate::session
