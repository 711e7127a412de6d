// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/guest_walk.hpp"

#include <algorithm>

namespace casemate::mm {
namespace {

constexpr std::uint64_t present = 1, large = 1 << 7;
constexpr std::uint64_t address_mask = 0x000ffffffffff000;

} // namespace

std::optional<GuestPhys> walk_guest_tables(const GuestMemory& memory, std::uint64_t cr3,
                                           std::uint64_t address) {
    std::uint64_t table = cr3 & address_mask;
    for (unsigned level = 4; level >= 1; --level) {
        const unsigned shift = 12 + 9 * (level - 1);
        const auto entry = memory.read<std::uint64_t>(GuestPhys{table + 8 * ((address >> shift) & 511)});
        if (!entry || (*entry & present) == 0) return std::nullopt;
        const std::uint64_t offset_mask = (1ull << shift) - 1;
        if (level == 1 || (level <= 3 && (*entry & large)))
            return GuestPhys{(*entry & address_mask & ~offset_mask) | (address & offset_mask)};
        table = *entry & address_mask;
    }
    return std::nullopt;
}

std::size_t read_guest_virtual(const GuestMemory& memory, std::uint64_t cr3, std::uint64_t address,
                               ByteSpan out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const auto where = walk_guest_tables(memory, cr3, address + done);
        if (!where) break;
        const std::size_t chunk =
            std::min<std::size_t>(out.size() - done, page_size - (where->value % page_size));
        const ByteSpan source = memory.bytes(*where, chunk);
        if (source.empty()) break;
        std::copy(source.begin(), source.end(), out.begin() + static_cast<std::ptrdiff_t>(done));
        done += chunk;
    }
    return done;
}

} // namespace casemate::mm
