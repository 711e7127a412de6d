// SPDX-License-Identifier: Apache-2.0
// Translates a guest-virtual address as the guest's own page tables say (long mode, 4 levels) [APM2 5.3].
// The tables are the guest's and UNTRUSTED: every level is bounds-checked by GuestMemory and the walk has four steps.
// Called when an instruction that touched a virtual device must be fetched; permissions are not checked, because
// the processor has just executed the instruction.
#pragma once

#include "hypervisor/mm/guest_memory.hpp"

#include <optional>

namespace casemate::mm {

[[nodiscard]] std::optional<GuestPhys> walk_guest_tables(const GuestMemory& memory, std::uint64_t cr3,
                                                         std::uint64_t address);

/// Copies up to `out.size()` bytes from a guest-virtual address; returns how many could be read.
[[nodiscard]] std::size_t read_guest_virtual(const GuestMemory& memory, std::uint64_t cr3,
                                             std::uint64_t address, ByteSpan out);

} // namespace casemate::mm
