// SPDX-License-Identifier: Apache-2.0
// Physical memory as objects: the SLB's page tables map every address below 512 GiB at itself.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/bytes.hpp"

namespace casemate::slb {

// SAFETY: the caller owns the memory, or reads bytes that it treats as UNTRUSTED; alignment is the caller's.
template <typename T>
[[nodiscard]] inline T* object_at(HostPhys address) {
    return reinterpret_cast<T*>(address.value);
}
[[nodiscard]] inline ByteSpan bytes_at(HostRange range) { return {object_at<std::uint8_t>(range.base), range.size}; }

/// The other way: where an object of ours lies.
[[nodiscard]] inline HostPhys address_of(const void* object) { return {reinterpret_cast<std::uint64_t>(object)}; }

} // namespace casemate::slb
