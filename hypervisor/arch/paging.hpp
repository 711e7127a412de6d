// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own page tables [APM2 5.3].
//   0 .. 512 GiB                 all physical memory at its own address: RAM write-back, the rest uncached; no execute
//   0xffffffff80000000 ..        the hypervisor's image: text R-X, constants R--, data RW-
// Invariant: W^X everywhere, and page 0 is unmapped.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/mm/tcb_memory.hpp"

#include <span>

namespace casemate::arch {

/// The root of the new tables, or nothing when TCB memory runs out.
[[nodiscard]] std::optional<HostPhys> build_page_tables(mm::TcbMemory& memory, HostPhys image,
                                                        std::span<const launch::MemoryRange> ranges);
/// Switches this core to them; turns on NX, write protection, SSE state and XSAVE for guests.
void load_page_tables(HostPhys root);
[[nodiscard]] HostPhys page_table_root();

/// For the AP trampoline, a 4 KiB page below 2 MiB: executable and never writable again. It stays so, because a core
/// may come late.
void make_executable(HostPhys page);

} // namespace casemate::arch
