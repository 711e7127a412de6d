// SPDX-License-Identifier: Apache-2.0
// Memory that nobody may touch: written once, then read again and again. What a faulty neighbour or its device does to this VM shows here.
#pragma once

#include <cstdint>

namespace casemate::probe {

/// Never returns. One line when the memory is filled, with a page that the host can find in physical memory,
///   CM_CANARY mark address=0xGUEST_PHYSICAL magic=0x16_BYTES_THAT_STAND_NOWHERE_ELSE
/// and one a round: CM_CANARY round=N pages=N bad=N
[[noreturn]] void keep_canary(std::uint64_t bytes, std::uint64_t seed);

} // namespace casemate::probe
