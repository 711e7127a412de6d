// SPDX-License-Identifier: Apache-2.0
// Where a PCI function sits: segment, bus, device, function. One type for policy, grants, ledger and hypervisor.
// A value made from outside bytes may be out of range: ask valid(). On the wire: CBOR [segment, bus, device, function].
#pragma once

#include <compare>
#include <cstdint>

namespace casemate {

struct DeviceAddress {
    std::uint16_t segment = 0;
    std::uint8_t bus = 0;
    std::uint8_t device = 0;   // 0..31
    std::uint8_t function = 0; // 0..7
    constexpr auto operator<=>(const DeviceAddress&) const = default;
    [[nodiscard]] constexpr bool valid() const { return device < 32 && function < 8; }
    /// The 16-bit requester id of the segment [PCIe 2.2.6.2].
    [[nodiscard]] constexpr std::uint16_t requester_id() const {
        return static_cast<std::uint16_t>(bus << 8 | device << 3 | function);
    }
};

} // namespace casemate
