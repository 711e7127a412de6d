// SPDX-License-Identifier: Apache-2.0
// The hypervisor's only allocator: hands out zeroed pieces of BootInfo.tcb_free, never takes one back.
// Also the `Tables` of mm::NestedPageTable. Used while the machine is built; a running VM causes no allocation
// except page-table pages for mappings that custody makes.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/base/address.hpp"

#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

namespace casemate::mm {

class TcbMemory {
public:
    constexpr TcbMemory() = default;
    explicit TcbMemory(launch::Extent free) : next_{free.base}, end_{free.base + free.size} {}

    /// Zeroed; `alignment` is a power of two.
    [[nodiscard]] std::optional<HostPhys> allocate(std::uint64_t bytes, std::uint64_t alignment) {
        const std::uint64_t start = (next_ + alignment - 1) & ~(alignment - 1);
        if (start > end_ || bytes > end_ - start) return std::nullopt;
        next_ = start + bytes;
        std::memset(reinterpret_cast<void*>(start), 0,
                    bytes); // SAFETY: TCB memory, mapped at its own address
        return HostPhys{start};
    }
    /// An object that lives for ever, or nullptr.
    template <typename T, typename... Arguments>
    [[nodiscard]] T* make(Arguments&&... arguments) {
        const auto where = allocate(sizeof(T), alignof(T));
        if (!where) return nullptr;
        return new (reinterpret_cast<void*>(where->value)) T(std::forward<Arguments>(arguments)...);
    }
    [[nodiscard]] std::uint64_t remaining() const { return end_ - next_; }

    [[nodiscard]] std::optional<HostPhys> allocate_table() { return allocate(page_size, page_size); }
    // SAFETY: entries lie in tables that allocate_table() gave. The hardware walks them: one aligned 64-bit access.
    [[nodiscard]] std::uint64_t load(HostPhys entry) const {
        return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(entry.value), __ATOMIC_RELAXED);
    }
    // ORDER: release, so that a table is filled before the entry that points at it is seen by a walker.
    void store(HostPhys entry, std::uint64_t value) {
        __atomic_store_n(reinterpret_cast<std::uint64_t*>(entry.value), value, __ATOMIC_RELEASE);
    }

private:
    std::uint64_t next_ = 0;
    std::uint64_t end_ = 0;
};

} // namespace casemate::mm
