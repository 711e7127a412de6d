// SPDX-License-Identifier: Apache-2.0
// The firmware's memory map [UEFI 7.2, EFI_MEMORY_DESCRIPTOR] as the sorted list of usable ranges of LaunchParams.
// Usable = what UEFI gives to the operating system after ExitBootServices, the launcher's own pages included;
// only those are listed: everything else is reserved. Called by dlaunch.efi.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::efi {

enum class MapError {
    descriptor_size = 1, // smaller than the fields that we read, or the map is not a whole number of them
    too_many,            // does not fit even when neighbours are merged
};

/// What was written of `out`, sorted, neighbours merged, cut off at 512 GiB.
Result<std::span<launch::MemoryRange>, MapError> convert_memory_map(ByteView map, std::size_t descriptor_size,
                                                                    std::span<launch::MemoryRange> out);

} // namespace casemate::efi
