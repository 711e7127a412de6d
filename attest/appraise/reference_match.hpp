// SPDX-License-Identifier: Apache-2.0
// Compares a launch with the accepted builds. One must match wholly, be valid now and have a policy epoch that the fleet
// still accepts; else the reasons tell how the launch differs from
// the set that it resembles most.
#pragma once

#include "attest/appraise/firmware_log.hpp"
#include "attest/appraise/launch_record.hpp"
#include "attest/appraise/reference.hpp"

namespace casemate::attest {

/// The set that matches, or null and reasons. `firmware`: null when PCR 0-7 were not quoted.
[[nodiscard]] const ReferenceSet* match_reference(const LaunchRecord& record, const FirmwareReplay* firmware,
                                                  std::span<const ReferenceSet> sets, const ReferenceRules& rules, const measure::Banks& banks,
                                                  Reasons& reasons);

} // namespace casemate::attest
