// SPDX-License-Identifier: Apache-2.0
// See boot_information.hpp: the memory map. Boot loaders may list it unsorted and overlapping; what is not usable wins.
#include "dlaunch/txt/boot_information.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

using launch::MemoryRange;

constexpr std::uint32_t type_available = 1; // [MULTIBOOT2 3.6.8]
constexpr std::uint64_t first_usable = 1024 * 1024;     // below: real mode's tables, VGA, option ROMs
constexpr std::uint64_t low_end = 0xfec00000;           // I/O APIC and what follows
constexpr std::uint64_t four_gib = 1ull << 32;
constexpr std::uint64_t highest_memory = 512ull << 30;  // what the SLB maps

struct Piece {
    std::uint64_t begin, end;
};

struct Entry {
    Piece bytes;
    bool usable;
};

/// Nothing of it lies above what the SLB maps.
Entry entry_at(const BootInformation& boot, std::size_t index) {
    LittleEndianReader in{boot.memory_map.subspan(index * boot.entry_size, boot.entry_size)};
    const std::uint64_t base = std::min(in.u64(), highest_memory);
    const std::uint64_t size = std::min(in.u64(), highest_memory - base);
    return {{base, base + size}, in.u32() == type_available};
}

/// Cuts `piece` down to its first part that no unusable entry covers; empty when there is none.
Piece first_free(const BootInformation& boot, Piece piece) {
    const std::size_t count = boot.memory_map.size() / boot.entry_size;
    for (bool changed = true; changed && piece.begin < piece.end;) {
        changed = false;
        for (std::size_t i = 0; i < count; ++i) {
            const Entry entry = entry_at(boot, i);
            if (entry.usable || entry.bytes.begin >= piece.end || entry.bytes.end <= piece.begin) continue;
            if (entry.bytes.begin <= piece.begin) piece.begin = std::min(entry.bytes.end, piece.end);
            else piece.end = entry.bytes.begin;
            changed = true;
        }
    }
    return piece;
}

class Ranges {
public:
    explicit Ranges(std::span<MemoryRange> out) : out_{out} {}

    /// Sorted; touching and overlapping ones become one.
    [[nodiscard]] bool insert(Piece piece) {
        const std::uint64_t begin = (piece.begin + page_size - 1) / page_size * page_size;
        const std::uint64_t end = piece.end / page_size * page_size;
        if (begin >= end) return true;
        std::size_t at = 0;
        while (at < count_ && out_[at].bytes.base + out_[at].bytes.size < begin) ++at;
        Piece all{begin, end};
        std::size_t last = at;
        for (; last < count_ && out_[last].bytes.base <= all.end; ++last)
            all = {std::min(all.begin, out_[last].bytes.base), std::max(all.end, out_[last].bytes.base + out_[last].bytes.size)};
        if (last == at && count_ == out_.size()) return false;
        replace(at, last, {{all.begin, all.end - all.begin}, launch::MemoryKind::usable, 0});
        return true;
    }
    [[nodiscard]] std::span<MemoryRange> list() const { return out_.first(count_); }

private:
    /// `range` instead of those from `first` to before `last`.
    void replace(std::size_t first, std::size_t last, const MemoryRange& range) {
        if (first == last) std::copy_backward(out_.begin() + first, out_.begin() + count_, out_.begin() + count_ + 1);
        else std::copy(out_.begin() + last, out_.begin() + count_, out_.begin() + first + 1);
        count_ = count_ + 1 - (last - first);
        out_[first] = range;
    }

    std::span<MemoryRange> out_;
    std::size_t count_ = 0;
};

} // namespace

Result<std::span<MemoryRange>, HandOverError> usable_memory(const BootInformation& boot, std::span<MemoryRange> out) {
    Ranges ranges{out};
    const std::size_t count = boot.memory_map.size() / boot.entry_size;
    for (std::size_t i = 0; i < count; ++i) {
        const Entry entry = entry_at(boot, i);
        if (!entry.usable) continue;
        for (const Piece window : {Piece{first_usable, low_end}, Piece{four_gib, highest_memory}}) {
            Piece left{std::max(entry.bytes.begin, window.begin), std::min(entry.bytes.end, window.end)};
            while (left.begin < left.end) {
                const Piece free = first_free(boot, left);
                if (free.begin >= free.end) break;
                if (!ranges.insert(free)) return Failure{HandOverError::memory_ranges};
                left.begin = free.end;
            }
        }
    }
    return ranges.list();
}

} // namespace casemate::txt
