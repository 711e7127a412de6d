// SPDX-License-Identifier: Apache-2.0
// Who owns each 2 MiB frame of the machine's memory.
// Invariant: a frame has exactly one owner; it changes hands only from `free` to an owner and back. Guest memory,
// MMIO and DMA mappings ask here before a table entry is written, so that no frame is ever reachable by two.
// Filled once at boot by Machine; portable, no hardware access.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace casemate::mm {

enum class FrameOwner : std::uint8_t {
    not_ram = 0, // never listed as usable: devices, firmware, holes
    free = 1,
    tcb = 2,   // hypervisor, SLB, log, IOMMU tables
    image = 3, // a kernel or initrd as the launcher left it: source of every (re)start
    first_vm = 16,
};
constexpr FrameOwner vm_owner(std::size_t vm_index) {
    return static_cast<FrameOwner>(static_cast<std::size_t>(FrameOwner::first_vm) + vm_index);
}

enum class FrameError : std::uint8_t { no_memory, bad_size };

class FrameTable {
public:
    static constexpr std::uint64_t frame_size = large_page_size;
    static constexpr std::uint64_t covered = 512ull << 30;

    /// Usable ranges sorted by base; ranges that touch are merged. Frames that they cover wholly become free.
    void add_usable(std::span<const HostRange> ranges);
    /// Gives every frame that `range` touches to `owner` (boot only: TCB, images).
    void claim(HostRange range, FrameOwner owner);

    /// A contiguous free run of whole frames, highest address first.
    [[nodiscard]] Result<HostRange, FrameError> allocate(std::uint64_t bytes, FrameOwner owner);
    /// Every frame of `range` must belong to `owner`; they become free.
    void release(HostRange range, FrameOwner owner);

    [[nodiscard]] bool owns(FrameOwner owner, HostRange range) const;
    /// No part of `range` was ever RAM, nor one of the platform's own registers (0xFEC00000..0xFEFFFFFF).
    [[nodiscard]] bool is_device_memory(HostRange range) const;
    [[nodiscard]] std::uint64_t bytes_of(FrameOwner owner) const;

private:
    static constexpr std::size_t frame_count = covered / frame_size;
    void fill(std::size_t first, std::size_t end, FrameOwner owner);
    [[nodiscard]] bool all(std::size_t first, std::size_t end, FrameOwner owner) const;

    HostPhys usable_end_{}; // of all RAM, frames beyond `covered` included
    std::array<FrameOwner, frame_count> owner_;
};

} // namespace casemate::mm
