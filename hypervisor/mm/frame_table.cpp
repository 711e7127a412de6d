// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/frame_table.hpp"

#include "hypervisor/base/check.hpp"

#include <algorithm>

namespace casemate::mm {
namespace {

/// I/O APIC, HPET, TPM, IOMMU, local APIC and the interrupt address range.
constexpr HostRange platform_registers{HostPhys{0xFEC00000}, 0x01400000};

constexpr HostPhys physical_limit{1ull << 52}; // [APM2 5.3]

constexpr std::size_t frame_of(HostPhys address) { return address.value / FrameTable::frame_size; }
constexpr std::size_t frame_after(HostPhys address) {
    return (address.value + FrameTable::frame_size - 1) / FrameTable::frame_size;
}

} // namespace

void FrameTable::fill(std::size_t first, std::size_t end, FrameOwner owner) {
    for (std::size_t i = first; i < std::min(end, frame_count); ++i) owner_[i] = owner;
}

bool FrameTable::all(std::size_t first, std::size_t end, FrameOwner owner) const {
    if (end > frame_count) return false;
    for (std::size_t i = first; i < end; ++i)
        if (owner_[i] != owner) return false;
    return true;
}

void FrameTable::add_usable(std::span<const HostRange> ranges) {
    fill(0, frame_count, FrameOwner::not_ram);
    usable_end_ = ranges.empty() ? HostPhys{} : ranges.back().end();
    for (std::size_t i = 0; i < ranges.size();) {
        HostRange merged = ranges[i++];
        while (i < ranges.size() && ranges[i].base == merged.end()) merged.size += ranges[i++].size;
        fill(frame_after(merged.base), frame_of(merged.end()), FrameOwner::free);
    }
}

void FrameTable::claim(HostRange range, FrameOwner owner) {
    CHECK(range.valid());
    fill(frame_of(range.base), frame_after(range.end()), owner);
}

Result<HostRange, FrameError> FrameTable::allocate(std::uint64_t bytes, FrameOwner owner) {
    if (bytes == 0 || bytes % frame_size != 0 || bytes > covered) return Failure{FrameError::bad_size};
    const std::size_t wanted = bytes / frame_size;
    std::size_t run = 0;
    for (std::size_t i = frame_count; i-- > 0;) {
        run = owner_[i] == FrameOwner::free ? run + 1 : 0;
        if (run != wanted) continue;
        fill(i, i + wanted, owner);
        return HostRange{HostPhys{i * frame_size}, bytes};
    }
    return Failure{FrameError::no_memory};
}

void FrameTable::release(HostRange range, FrameOwner owner) {
    CHECK(owns(owner, range));
    fill(frame_of(range.base), frame_after(range.end()), FrameOwner::free);
}

bool FrameTable::owns(FrameOwner owner, HostRange range) const {
    return range.valid() && all(frame_of(range.base), frame_after(range.end()), owner);
}

bool FrameTable::is_device_memory(HostRange range) const {
    if (!range.valid() || range.end() > physical_limit) return false;
    if (range.base.value >= covered) return range.base >= usable_end_; // firmware puts 64-bit BARs at the top
    return !range.overlaps(platform_registers) && frame_after(range.end()) > frame_of(range.base) &&
           all(frame_of(range.base), frame_after(range.end()), FrameOwner::not_ram);
}

std::uint64_t FrameTable::bytes_of(FrameOwner owner) const {
    return static_cast<std::uint64_t>(std::count(owner_.begin(), owner_.end(), owner)) * frame_size;
}

} // namespace casemate::mm
