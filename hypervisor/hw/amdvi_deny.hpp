// SPDX-License-Identifier: Apache-2.0
// Puts an AMD IOMMU into the state "nobody may do DMA or raise an interrupt", in two stages:
//   fence()   from any state, with a small table; requester ids beyond its size are refused by the IOMMU itself
//   switch_tables()  to the full table, while the fence stands; there is no moment at which DMA passes
// Invariant: when one of them returns Done, the IOMMU works from the named table and has dropped all it cached.
// The SLB calls both (docs/adr/0003); the hypervisor takes the tables over with AmdVi::adopt.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/hw/amdvi_command.hpp"
#include "hypervisor/hw/clock.hpp"
#include "hypervisor/hw/register_block.hpp"

#include <span>

namespace casemate::hw {

enum class DenyError {
    no_invalidate_all = 1, // the IOMMU lacks INVALIDATE_IOMMU_ALL
    stuck,                 // a COMPLETION_WAIT was not stored in time
    not_kept,              // a register does not read back what was written: nothing decodes there
};

/// The ring is set up with 256 entries, the fewest possible; the IOMMU reads only those before the tail, and both
/// stages together write this many.
inline constexpr std::size_t ring_use = 4;

/// Memory for one stage. The caller owns it and keeps device and processor away from it otherwise.
struct DenyTables {
    std::span<DeviceTableEntry> table; // whole 4 KiB pages, at most 2 MiB
    HostPhys table_at;
    std::span<IommuCommand> ring; // at least ring_use entries are ours; 4 KiB aligned
    HostPhys ring_at;
    std::uint64_t* completion; // one word, 8-byte aligned
    HostPhys completion_at;
};

/// Makes every entry of the table deny its requester.
void fill_deny(std::span<DeviceTableEntry> table);

/// Stage 1. Fills the table, then replaces whatever the firmware had set up.
Status<DenyError> fence(RegisterBlock& registers, const Clock& clock, const DenyTables& tables);

/// Stage 2. `from` is what fence() was given; `to` is filled here.
Status<DenyError> switch_tables(RegisterBlock& registers, const Clock& clock, const DenyTables& from,
                                const DenyTables& to);

} // namespace casemate::hw
