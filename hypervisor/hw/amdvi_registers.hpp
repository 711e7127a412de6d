// SPDX-License-Identifier: Apache-2.0
// Registers of an AMD IOMMU: its PCI capability and its memory-mapped block [AMDVI 3.2, 3.4]. Description only.
#pragma once

#include <cstdint>

namespace casemate::hw::amdvi {

/// In the function's configuration space, from the capability's offset [AMDVI 3.2].
namespace capability {
inline constexpr std::uint8_t id = 0x0f;
inline constexpr std::uint32_t class_code = 0x080600; // base system peripheral, IOMMU
inline constexpr unsigned type_shift = 16;
inline constexpr std::uint32_t type_mask = 7, type_iommu = 3;
inline constexpr std::uint8_t base_low = 4, base_high = 8;
inline constexpr std::uint32_t base_enable = 1u << 0;      // in base_low: decode the block, and lock the base
inline constexpr std::uint32_t base_low_mask = 0xffffc000; // in base_low: address bits 31:14
} // namespace capability

/// Offsets of 64-bit registers in the block [AMDVI 3.4].
inline constexpr std::uint64_t device_table_base = 0x00; // rw
inline constexpr std::uint64_t command_base = 0x08;      // rw
inline constexpr std::uint64_t control = 0x18;           // rw
inline constexpr std::uint64_t extended_feature = 0x30;  // ro
inline constexpr std::uint64_t command_head = 0x2000;    // rw
inline constexpr std::uint64_t command_tail = 0x2008;    // rw
inline constexpr std::uint64_t block_size = 0x4000;      // what the base address decodes at least

/// device_table_base: table size in 4 KiB pages, minus one, next to the address.
inline constexpr std::uint64_t device_table_size_mask = 0x1ff;
/// command_base: log2 of the number of entries, 8..15.
inline constexpr unsigned command_length_shift = 56;

/// control.
inline constexpr std::uint64_t iommu_en = 1ull << 0;
inline constexpr std::uint64_t coherent = 1ull << 10; // device table reads snoop the caches
inline constexpr std::uint64_t cmd_buf_en = 1ull << 12;

/// extended_feature.
inline constexpr std::uint64_t ia_sup = 1ull << 6; // INVALIDATE_IOMMU_ALL

} // namespace casemate::hw::amdvi
