// SPDX-License-Identifier: Apache-2.0
// What a campaign found, for a person and for a program: docs/interfaces/faults.md.
#pragma once

#include "tests/faults/state.hpp"

namespace casemate::faults {

/// Every fault was done, nobody else noticed, and the driver VM came back each time.
[[nodiscard]] bool passed(const State& state, std::uint64_t count);
[[nodiscard]] nlohmann::json make_report(const State& state, std::uint64_t count);
/// One row a class, one column an effect that occurred, then what failed.
[[nodiscard]] std::string table(const State& state, std::uint64_t count);

} // namespace casemate::faults
