// SPDX-License-Identifier: Apache-2.0
// Memory-mapped registers of the machine, by host-physical address. The only `volatile` of the hypervisor.
// Every physical address below 512 GiB is mapped at its own virtual address (arch/paging.hpp), device memory uncached.
#pragma once

#include "hypervisor/base/address.hpp"

#include <cstdint>

namespace casemate::arch {

// SAFETY: the caller names a device register of the width it uses; RAM is reached through physical_memory().
template <typename Word>
inline Word mmio_read(HostPhys address) {
    return *reinterpret_cast<const volatile Word*>(address.value);
}
template <typename Word>
inline void mmio_write(HostPhys address, Word value) {
    *reinterpret_cast<volatile Word*>(address.value) = value;
}

inline std::uint32_t mmio_read32(HostPhys address) { return mmio_read<std::uint32_t>(address); }
inline void mmio_write32(HostPhys address, std::uint32_t value) { mmio_write(address, value); }

} // namespace casemate::arch
