// SPDX-License-Identifier: Apache-2.0
// The kernel's random number generator after a warm restart (docs/adr/0014): every life that goes on from one snapshot has the same state of it.
#pragma once

namespace casemate::probe {

/// Makes the kernel draw a new key at once, from the processor's random numbers (RDRAND) and its clock besides what it had. Throws when it refuses.
void reseed();

} // namespace casemate::probe
