// SPDX-License-Identifier: Apache-2.0
// Commands of the AMD-Vi command ring [AMDVI 2.4], one constructor each. Values only: AmdVi queues them.
#pragma once

#include "hypervisor/hw/amdvi_device_table.hpp"

namespace casemate::hw {

struct IommuCommand {
    std::array<std::uint64_t, 2> word{};
    constexpr bool operator==(const IommuCommand&) const = default;
};
static_assert(sizeof(IommuCommand) == 16);

namespace command {
inline constexpr unsigned opcode_shift = 60;

/// Stores `value` at `address` (8-byte aligned) when every earlier command has completed [AMDVI 2.4.1].
constexpr IommuCommand completion_wait(HostPhys address, std::uint64_t value) {
    constexpr std::uint64_t store = 1;
    return {{(address.value & 0x000ffffffffffff8) | store | 1ull << opcode_shift, value}};
}
constexpr IommuCommand invalidate_devtab_entry(RequesterId requester) {
    return {{requester.value | 2ull << opcode_shift, 0}};
}
/// Every page of a domain: address all ones above bit 12, S=1, PDE=1 [AMDVI 2.4.3, table 14].
constexpr IommuCommand invalidate_all_pages(DomainId domain) {
    return {{std::uint64_t{domain.value} << 32 | 3ull << opcode_shift, 0x7ffffffffffff000 | 1 << 1 | 1 << 0}};
}
constexpr IommuCommand invalidate_interrupt_table(RequesterId requester) {
    return {{requester.value | 5ull << opcode_shift, 0}};
}
constexpr unsigned opcode(const IommuCommand& c) { return static_cast<unsigned>(c.word[0] >> opcode_shift); }
} // namespace command

} // namespace casemate::hw
