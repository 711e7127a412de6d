// SPDX-License-Identifier: Apache-2.0
// Long work on a VM's memory, cut into steps between which the core looks after everything else.
#pragma once

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/instructions.hpp"

#include <cstdint>

namespace casemate::core {

/// Calls `each` for pages from `next` on: some milliseconds at most. Without that bound custody, on the same core, was seen a second
/// late (most likely because pages that have held code are slow to write under emulation). True when all `count` are done;
/// `next` is 0 again then.
template <typename Each>
bool step_pages(std::uint64_t& next, std::uint64_t count, Each each) {
    constexpr std::uint64_t longest_ms = 4;
    const std::uint64_t until = arch::read_tsc() + arch::tsc_from_millis(longest_ms);
    for (; next < count && arch::read_tsc() < until; ++next) each(next);
    if (next < count) return false;
    next = 0;
    return true;
}

} // namespace casemate::core
