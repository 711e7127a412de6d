// SPDX-License-Identifier: Apache-2.0
// One entry of the AMD-Vi device table [AMDVI 2.2.2.1, table 7]: what a requester may reach.
// Invariant: an entry is V=1, TV=1 and IV=1 at all times. An all-zero entry would let the requester pass
// untranslated, so "nothing" is spelled out: Mode 0 with IR=IW=0 (no DMA) and IntCtl=00 (no interrupt).
// An entry in use changes only through publish() and retract(), which keep the write order of
// [AMDVI 2.2.2.2].
#pragma once

#include "hypervisor/base/address.hpp"

#include <array>
#include <cstddef>

namespace casemate::hw {

/// PCI requester id: bus << 8 | device << 3 | function.
struct RequesterId {
    std::uint16_t value = 0;
    constexpr auto operator<=>(const RequesterId&) const = default;
};

struct DomainId {
    std::uint16_t value = 0;
};

struct DeviceTableEntry {
    std::array<std::uint64_t, 4> word{};
    constexpr bool operator==(const DeviceTableEntry&) const = default;
};
static_assert(sizeof(DeviceTableEntry) == 32);

inline constexpr std::size_t device_table_entries = 65536;

/// Fields by word and bit, in the specification's spelling.
namespace dte {
inline constexpr std::uint64_t v = 1ull << 0;                    // word 0
inline constexpr std::uint64_t tv = 1ull << 1;                   // word 0
inline constexpr unsigned mode_shift = 9;                        // word 0: levels of the page table
inline constexpr std::uint64_t address = 0x000ffffffffff000;     // word 0: page table root
inline constexpr std::uint64_t ir = 1ull << 61;                  // word 0: DMA reads
inline constexpr std::uint64_t iw = 1ull << 62;                  // word 0: DMA writes
inline constexpr std::uint64_t iv = 1ull << 0;                   // word 2
inline constexpr unsigned int_tab_len_shift = 1;                 // word 2: log2 of the number of entries
inline constexpr std::uint64_t int_address = 0x000fffffffffffc0; // word 2
inline constexpr std::uint64_t int_ctl_remap = 2ull << 60;       // word 2: 00 abort, 10 remap
} // namespace dte

/// What an attached requester may reach. `page_table` is the VM's nested page table, `interrupt_table` has
/// 2^interrupt_table_log2 entries.
struct DeviceAccess {
    HostPhys page_table{};
    unsigned levels = 4;
    DomainId domain{};
    HostPhys interrupt_table{};
    unsigned interrupt_table_log2 = 0;
};

/// A requester that may do nothing: DMA and interrupts are aborted.
constexpr DeviceTableEntry deny_entry() { return {{dte::v | dte::tv, 0, dte::iv, 0}}; }

constexpr DeviceTableEntry access_entry(const DeviceAccess& access) {
    const std::uint64_t translation = dte::v | dte::tv | (std::uint64_t{access.levels} << dte::mode_shift) |
                                      (access.page_table.value & dte::address) | dte::ir | dte::iw;
    const std::uint64_t interrupts = dte::iv |
                                     (std::uint64_t{access.interrupt_table_log2} << dte::int_tab_len_shift) |
                                     (access.interrupt_table.value & dte::int_address) | dte::int_ctl_remap;
    return {{translation, access.domain.value, interrupts, 0}};
}

/// Interrupts only, for a requester that never does DMA (the I/O APIC).
constexpr DeviceTableEntry interrupt_only_entry(HostPhys interrupt_table, unsigned log2) {
    DeviceTableEntry entry = access_entry({.interrupt_table = interrupt_table, .interrupt_table_log2 = log2});
    entry.word[0] = deny_entry().word[0];
    return entry;
}

/// Makes a deny entry effective as `wanted`. `store(word, value)` must be one 64-bit store.
/// ORDER: the word that permits DMA goes last, when everything that it relies on is in memory.
template <typename Store>
void publish(DeviceTableEntry& live, const DeviceTableEntry& wanted, Store&& store) {
    for (const std::size_t index : {3, 2, 1, 0})
        store(live.word[index], wanted.word[index]);
}

/// The reverse: DMA is denied by the first store, interrupts by the second, the rest follows.
template <typename Store>
void retract(DeviceTableEntry& live, Store&& store) {
    const DeviceTableEntry deny = deny_entry();
    for (const std::size_t index : {0, 2, 1, 3})
        store(live.word[index], deny.word[index]);
}

} // namespace casemate::hw
