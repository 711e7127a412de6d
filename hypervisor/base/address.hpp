// SPDX-License-Identifier: Apache-2.0
// Address spaces as types: a host-physical, guest-physical or I/O-virtual address never mixes with another.
#pragma once

#include <compare>
#include <cstdint>

namespace casemate {

template <typename Space>
struct Address {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const Address&) const = default;
    constexpr Address operator+(std::uint64_t bytes) const { return {value + bytes}; }
    constexpr Address operator-(std::uint64_t bytes) const { return {value - bytes}; }
    constexpr std::uint64_t operator-(Address other) const { return value - other.value; }
};

using HostPhys = Address<struct HostPhysSpace>;
using GuestPhys = Address<struct GuestPhysSpace>;

inline constexpr std::uint64_t page_size = 4096;
inline constexpr std::uint64_t large_page_size = 2 * 1024 * 1024;

/// A half-open range of host-physical memory; may come from outside the TCB, so `end()` can overflow: ask valid().
struct HostRange {
    HostPhys base;
    std::uint64_t size = 0;
    [[nodiscard]] constexpr bool valid() const { return size != 0 && base.value + size > base.value; }
    [[nodiscard]] constexpr HostPhys end() const { return base + size; }
    /// Both ranges must be valid().
    [[nodiscard]] constexpr bool contains(HostRange other) const {
        return other.base >= base && other.end() <= end();
    }
    [[nodiscard]] constexpr bool overlaps(HostRange other) const {
        return base < other.end() && other.base < end();
    }
};

} // namespace casemate
