// SPDX-License-Identifier: Apache-2.0
// Which gates may be granted and which leases renewed, judged by the replayed ledger and the policy only.
#pragma once

#include "attest/appraise/appraisal.hpp"

namespace casemate::attest {

void check_gates(const EvidenceBundle& evidence, const policy::Policy& policy, Appraisal& appraisal);
void check_leases(const EvidenceBundle& evidence, Appraisal& appraisal);

} // namespace casemate::attest
