// SPDX-License-Identifier: Apache-2.0
// How many appraisals a core does, against the verifications of one ECDSA P-256 signature by the same libcrypto.
#pragma once

#include "tests/bench/attest/metrics.hpp"
#include "tests/fleet/materials.hpp"

namespace casemate::bench::attest {

/// Both in turn, in slices of a quarter of a second, on this thread, with 15 kB of log: appraisal* of a platform with one bank,
/// appraisal_two_banks* with two. Throws when an appraisal is not affirming.
void measure_appraisal(fleet::Materials& materials, Values& values);

} // namespace casemate::bench::attest
