// SPDX-License-Identifier: Apache-2.0
// Interrupt remapping table of one requester, 32-bit entries [AMDVI 2.2.5.2, table 22].
// An MSI selects its entry by bits 10:0 of its data word, for a guest simply the vector that it programmed.
// So the guest may own its MSI-X table: it can raise only vectors of its own window, on its own core.
// Invariant: an entry is either zero (aborted) or fixed delivery, edge, to a (vector, core) given to set().
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/check.hpp"

#include <array>
#include <atomic>
#include <cstddef>

namespace casemate::hw {

/// Vectors that the devices of one VM may raise: guest vector guest_first + i arrives on the core with local
/// APIC id `apic_id` as host vector host_first + i.
struct VectorWindow {
    std::uint8_t guest_first = 0;
    std::uint8_t host_first = 0;
    std::uint8_t count = 0;
    std::uint8_t apic_id = 0;
};

/// Covers every value of the 11 index bits, so no message can select an entry outside the table.
class alignas(page_size) InterruptTable {
public:
    static constexpr unsigned log2_entries = 11;

    /// The whole table: one entry for each vector of the window, everything else aborted.
    void open(const VectorWindow& window) {
        CHECK(window.guest_first >= 32 && window.guest_first + window.count <= 256);
        CHECK(window.host_first >= 32 && window.host_first + window.count <= 256);
        close();
        for (unsigned i = 0; i < window.count; ++i)
            set(window.guest_first + i, static_cast<std::uint8_t>(window.host_first + i), window.apic_id);
    }
    void set(std::size_t index, std::uint8_t vector, std::uint8_t apic_id) {
        store(index, std::uint32_t{vector} << 16 | std::uint32_t{apic_id} << 8 | remap_enable);
    }
    void close() {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            store(i, 0);
    }
    [[nodiscard]] std::uint32_t entry(std::size_t index) const { return entries_[index]; }

private:
    static constexpr std::uint32_t remap_enable = 1; // IntType 000 fixed, DM 0 physical, RqEoi 0

    // ORDER: one 32-bit store; the remapping hardware reads whole entries.
    void store(std::size_t index, std::uint32_t value) {
        std::atomic_ref{entries_[index]}.store(value, std::memory_order_release);
    }

    std::array<std::uint32_t, std::size_t{1} << log2_entries> entries_{};
};
static_assert(sizeof(InterruptTable) == 2 * page_size);

} // namespace casemate::hw
