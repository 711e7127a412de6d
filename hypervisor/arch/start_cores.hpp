// SPDX-License-Identifier: Apache-2.0
// Starts all other cores by broadcast and counts who came: no firmware table is read.
// Invariant: the trampoline page is never writable and executable at once and never belongs to a VM.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/mm/tcb_memory.hpp"

#include <cstdint>
#include <span>

namespace casemate::arch {

struct CoreStart {
    std::span<const launch::MemoryRange> ranges; // where to find a page below 1 MiB
    unsigned most;   // cores besides this one, at most; more of them sleep for ever
    unsigned wanted; // waits up to `patience_ms` for these; for further ones `grace_ms`
};

/// Returns how many came, 0 .. most. Each runs core_main(its number) on a stack of its own.
[[nodiscard]] unsigned start_cores(mm::TcbMemory& memory, const CoreStart& request);

/// Defined by core/.
extern "C" [[noreturn]] void core_main(unsigned number);

} // namespace casemate::arch
