// SPDX-License-Identifier: Apache-2.0
// The JSON of docs/interfaces/bench.md, "bench attest", and the table for a person made from it.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/bench/attest/metrics.hpp"

namespace casemate::bench::attest {

/// Metrics without a value are left out.
[[nodiscard]] nlohmann::json make_report(const Values& values, const std::string& only);
[[nodiscard]] std::string table_of(const nlohmann::json& report);

} // namespace casemate::bench::attest
