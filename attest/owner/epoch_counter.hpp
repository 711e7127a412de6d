// SPDX-License-Identifier: Apache-2.0
// A platform's epoch: the counter in its TPM, and its value in the record.
#pragma once

#include "attest/owner/platform_record.hpp"
#include "attest/owner/tpm_access.hpp"

namespace casemate::owner {

/// The record with the epoch as the TPM has it now, and kept so. Refuses another platform's TPM.
[[nodiscard]] Outcome<PlatformRecord> brought_up_to_date(const PlatformDirectory& directory, TpmAccess& tpm);

struct Count {
    std::uint64_t to = 0; // 0: one more than the record says
    bool force = false;   // even if a VM that has secrets is then without an approved state
};
/// Ends the approvals of older epochs. From the record's epoch, not the TPM's: after a power cut between the two the same call finishes the
/// work and counts no further. The record as it is then.
Outcome<PlatformRecord> count_epoch(const PlatformDirectory& directory, TpmAccess& tpm, const Count& count);

} // namespace casemate::owner
