// SPDX-License-Identifier: Apache-2.0
// One VM's second-level page table, walked by the processor (nested paging) and by AMD-Vi alike: docs/adr/0004.
//   CPU view    [APM2 15.25.5, 5.3]: P R/W U/S PCD PS NX; bits 9-11 and 52-62 are available to software
//   AMD-Vi view [AMDVI 2.2.3]:       PR NextLevel(9-11) IR(61) IW(62); the CPU's bits are ignored
// Invariant: only RAM that the VM owns carries IR and IW, so a device can reach nothing else: no BAR, no interrupt
// address, no IOMMU register. Every leaf is checked against the FrameTable before it is written.
// `Tables` gives table pages and stores entries (a recording memory in the unit test):
//   std::optional<HostPhys> allocate_table();            a zeroed 4 KiB page
//   std::uint64_t load(HostPhys entry);  void store(HostPhys entry, std::uint64_t value);
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/frame_table.hpp"

#include <cstdint>
#include <optional>

namespace casemate::mm {

enum class MapError : std::uint8_t {
    alignment,
    not_owned,
    not_device_memory,
    already_mapped,
    out_of_tables,
    range
};
enum class Access : std::uint8_t { read_only, read_write };

namespace entry {
inline constexpr std::uint64_t present = 1ull << 0;
inline constexpr std::uint64_t writable = 1ull << 1;
inline constexpr std::uint64_t user = 1ull << 2; // every nested access is a user access [APM2 15.25.5]
inline constexpr std::uint64_t uncached = 1ull << 4;
inline constexpr std::uint64_t large = 1ull << 7;
inline constexpr std::uint64_t no_execute = 1ull << 63;
inline constexpr std::uint64_t io_read = 1ull << 61;
inline constexpr std::uint64_t io_write = 1ull << 62;
inline constexpr std::uint64_t address_mask = 0x000ffffffffff000;
constexpr std::uint64_t next_level(unsigned level) { return std::uint64_t{level} << 9; }
} // namespace entry

template <typename Tables>
class NestedPageTable {
public:
    static constexpr unsigned levels = 4;

    /// `owner` is the VM: RAM leaves must belong to it.
    static Result<NestedPageTable, MapError> create(Tables& tables, const FrameTable& frames,
                                                    FrameOwner owner) {
        const auto root = tables.allocate_table();
        if (!root) return Failure{MapError::out_of_tables};
        return NestedPageTable{tables, frames, owner, *root};
    }

    [[nodiscard]] HostPhys root() const { return root_; }

    /// RAM for the VM and for the DMA of its devices. Leaves of 2 MiB where both sides are aligned.
    Status<MapError> map_ram(GuestPhys guest, HostRange host) {
        if (!frames_->owns(owner_, host)) return Failure{MapError::not_owned};
        return map(guest, host, entry::writable | entry::io_read | entry::io_write);
    }
    /// A page of the VM's own RAM that its processor sees and no device may reach (control windows, mailboxes).
    Status<MapError> map_window(GuestPhys guest, HostRange host, Access access) {
        if (!frames_->owns(owner_, host)) return Failure{MapError::not_owned};
        return map(guest, host, entry::no_execute | write_bit(access));
    }
    /// Registers of an assigned device: for the processor only.
    Status<MapError> map_device(GuestPhys guest, HostRange host, Access access) {
        if (!frames_->is_device_memory(host)) return Failure{MapError::not_device_memory};
        return map(guest, host, entry::no_execute | entry::uncached | write_bit(access));
    }

    /// Clears every leaf that lies wholly in the range; the caller flushes the TLBs of processor and IOMMU.
    void unmap(GuestPhys guest, std::uint64_t size) {
        const GuestPhys end = guest + size;
        while (guest < end) {
            const Leaf leaf = find(guest);
            const std::uint64_t step = page_bytes(leaf.level);
            if (leaf.value & entry::present && (guest.value & (step - 1)) == 0 && end - guest >= step)
                tables_->store(leaf.slot, 0);
            guest.value = (guest.value & ~(step - 1)) + step;
        }
    }

    [[nodiscard]] std::optional<HostPhys> translate(GuestPhys guest) const {
        const Leaf leaf = find(guest);
        if ((leaf.value & entry::present) == 0) return std::nullopt;
        return HostPhys{leaf.value & entry::address_mask} + (guest.value & (page_bytes(leaf.level) - 1));
    }

private:
    struct Leaf {
        HostPhys slot;
        std::uint64_t value;
        unsigned level; // 1 = 4 KiB page
    };
    static constexpr std::uint64_t guest_limit = 1ull << 48;

    NestedPageTable(Tables& tables, const FrameTable& frames, FrameOwner owner, HostPhys root)
        : tables_{&tables}, frames_{&frames}, owner_{owner}, root_{root} {}

    static constexpr std::uint64_t write_bit(Access access) {
        return access == Access::read_write ? entry::writable : 0;
    }
    static constexpr unsigned shift(unsigned level) { return 12 + 9 * (level - 1); }
    static constexpr std::uint64_t page_bytes(unsigned level) { return 1ull << shift(level); }
    static constexpr HostPhys slot_of(HostPhys table, GuestPhys guest, unsigned level) {
        return table + 8 * ((guest.value >> shift(level)) & 511);
    }
    static constexpr bool is_leaf(std::uint64_t value, unsigned level) {
        return level == 1 || (value & entry::present) == 0 || (value & entry::large) != 0;
    }

    [[nodiscard]] Leaf find(GuestPhys guest) const {
        HostPhys table = root_;
        for (unsigned level = levels;; --level) {
            const HostPhys slot = slot_of(table, guest, level);
            const std::uint64_t value = tables_->load(slot);
            if (is_leaf(value, level)) return {slot, value, level};
            table = HostPhys{value & entry::address_mask};
        }
    }

    Status<MapError> map(GuestPhys guest, HostRange host, std::uint64_t flags) {
        if (((guest.value | host.base.value | host.size) & (page_size - 1)) != 0)
            return Failure{MapError::alignment};
        if (!host.valid() || guest.value >= guest_limit || host.size > guest_limit - guest.value)
            return Failure{MapError::range};
        while (host.size != 0) {
            const unsigned level = leaf_level(guest, host);
            const HostPhys slot = TRY(slot_for(guest, level));
            if (tables_->load(slot) != 0) return Failure{MapError::already_mapped};
            const std::uint64_t size_bit = level == 2 ? entry::large : 0;
            tables_->store(slot, host.base.value | entry::present | entry::user | size_bit | flags);
            guest = guest + page_bytes(level);
            host = {host.base + page_bytes(level), host.size - page_bytes(level)};
        }
        return Done{};
    }

    static unsigned leaf_level(GuestPhys guest, HostRange host) {
        const bool large =
            ((guest.value | host.base.value) & (large_page_size - 1)) == 0 && host.size >= large_page_size;
        return large ? 2 : 1;
    }

    /// The slot of a leaf at `level`, its tables made on the way. A table permits everything; leaves decide.
    Result<HostPhys, MapError> slot_for(GuestPhys guest, unsigned leaf) {
        HostPhys table = root_;
        for (unsigned level = levels; level > leaf; --level) {
            const HostPhys slot = slot_of(table, guest, level);
            std::uint64_t value = tables_->load(slot);
            if (value & entry::large) return Failure{MapError::already_mapped};
            if (value == 0) {
                const auto fresh = tables_->allocate_table();
                if (!fresh) return Failure{MapError::out_of_tables};
                value = fresh->value | table_flags(level - 1);
                tables_->store(slot, value);
            }
            table = HostPhys{value & entry::address_mask};
        }
        return slot_of(table, guest, leaf);
    }

    static constexpr std::uint64_t table_flags(unsigned level) {
        return entry::present | entry::writable | entry::user | entry::next_level(level) | entry::io_read |
               entry::io_write;
    }

    Tables* tables_;
    const FrameTable* frames_;
    FrameOwner owner_;
    HostPhys root_;
};

} // namespace casemate::mm
