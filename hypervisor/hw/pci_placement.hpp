// SPDX-License-Identifier: Apache-2.0
// Whether a function's BARs may be mapped into a VM. UNTRUSTED: where firmware put them. A BAR is acceptable
// when it is a whole number of aligned pages, not below 1 MiB and overlaps none of the given ranges: every
// entry of the memory map, the TCB, the IOMMU, and the BARs of every other function.
#pragma once

#include "hypervisor/hw/pci_function.hpp"

namespace casemate::hw {

/// I/O APIC, HPET, TPM, IOMMU, local APIC, message window, flash: nothing here is ever assigned.
inline constexpr HostRange fixed_platform_range{{0xfec00000}, 0x1400000};

constexpr bool bar_is_free(const PciBar& bar, std::span<const HostRange> taken) {
    const HostRange range = bar.range;
    if (!range.valid() || range.base.value < 0x100000) return false;
    if (range.base.value % page_size != 0 || range.size % page_size != 0) return false;
    if (range.overlaps(fixed_platform_range)) return false;
    for (const HostRange& other : taken)
        if (other.valid() && range.overlaps(other)) return false;
    return true;
}

constexpr Status<PciError> check_placement(const PciFunction& function, std::span<const HostRange> taken) {
    for (std::size_t i = 0; i < pci::bar_count; ++i) {
        if (function.bar[i].range.size == 0) continue;
        if (!bar_is_free(function.bar[i], taken)) return Failure{PciError::wrong_place};
        for (std::size_t j = 0; j < i; ++j)
            if (function.bar[j].range.size != 0 && function.bar[j].range.overlaps(function.bar[i].range))
                return Failure{PciError::wrong_place};
    }
    return Done{};
}

} // namespace casemate::hw
