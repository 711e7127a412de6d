// SPDX-License-Identifier: Apache-2.0
// Compares what the firmware measured into one PCR with its reference. Pure; called by the reference match.
#pragma once

#include "attest/appraise/firmware_log.hpp"
#include "attest/appraise/reference.hpp"

namespace casemate::attest {

struct FirmwareDifference {
    AppraisalError error{};
    ReasonText component; // the first event that differs, or the PCR
    ReasonText expected;
    ReasonText seen;
};

/// Nothing when all quoted banks agree. The log replays to the quote: it parses.
[[nodiscard]] std::optional<FirmwareDifference> compare_firmware(const FirmwarePcrReference& reference,
                                                                 const FirmwareReplay& replay, const measure::Banks& banks);

} // namespace casemate::attest
