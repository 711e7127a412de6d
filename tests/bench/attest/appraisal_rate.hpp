// SPDX-License-Identifier: Apache-2.0
// How many appraisals a core does, against the verifications of one ECDSA P-256 signature by the same libcrypto.
#pragma once

#include "tests/bench/attest/metrics.hpp"
#include "tests/fleet/materials.hpp"

namespace casemate::bench::attest {

/// Both in turn, in slices of a quarter of a second, on this thread. Adds appraisal, appraisal_verify, appraisal_ratio.
/// Throws when an appraisal is not affirming.
void measure_appraisal(fleet::Materials& materials, std::uint32_t restarts, Values& values);

} // namespace casemate::bench::attest
