// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hw/amdvi_deny.hpp"

#include "hypervisor/base/check.hpp"
#include "hypervisor/hw/amdvi_registers.hpp"

#include <atomic>
#include <bit>

namespace casemate::hw {

namespace {

constexpr Micros completion_limit{100'000};
constexpr std::size_t ring_entries = 256;

constexpr IommuCommand invalidate_all{{8ull << command::opcode_shift, 0}}; // [AMDVI 2.4.8]

std::uint64_t device_table_value(const DenyTables& tables) {
    const std::uint64_t pages = tables.table.size_bytes() / page_size;
    CHECK(pages >= 1 && pages <= amdvi::device_table_size_mask + 1);
    return tables.table_at.value | (pages - 1);
}

/// The ring may only be moved while it is off [AMDVI 3.4.1].
void start_ring(RegisterBlock& registers, const DenyTables& tables) {
    CHECK(tables.ring.size() >= ring_use);
    const std::uint64_t length = std::countr_zero(ring_entries);
    registers.write64(amdvi::command_base, tables.ring_at.value | length << amdvi::command_length_shift);
    registers.write64(amdvi::command_head, 0);
    registers.write64(amdvi::command_tail, 0);
    registers.write64(amdvi::control, amdvi::iommu_en | amdvi::coherent | amdvi::cmd_buf_en);
}

/// Runs INVALIDATE_IOMMU_ALL and waits for its end. `slot` is the ring's next free entry.
Status<DenyError> invalidate(RegisterBlock& registers, const Clock& clock, const DenyTables& tables, std::size_t slot) {
    constexpr std::uint64_t done = 0x454e4f44; // any value but 0
    std::atomic_ref completion{*tables.completion};
    completion.store(0);
    tables.ring[slot] = invalidate_all;
    tables.ring[slot + 1] = command::completion_wait(tables.completion_at, done);
    // ORDER: tables and commands are in memory before the tail tells the IOMMU of them.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    registers.write64(amdvi::command_tail, (slot + 2) * sizeof(IommuCommand));
    const Deadline deadline{clock, completion_limit};
    // ORDER: acquire, pairs with the IOMMU's store of the completion word.
    while (completion.load(std::memory_order_acquire) != done) {
        if (deadline.passed()) return Failure{DenyError::stuck};
    }
    return Done{};
}

} // namespace

void fill_deny(std::span<DeviceTableEntry> table) {
    for (DeviceTableEntry& entry : table) entry = deny_entry();
}

Status<DenyError> fence(RegisterBlock& registers, const Clock& clock, const DenyTables& tables) {
    if (!(registers.read64(amdvi::extended_feature) & amdvi::ia_sup)) return Failure{DenyError::no_invalidate_all};
    fill_deny(tables.table);
    registers.write64(amdvi::control, 0);
    registers.write64(amdvi::device_table_base, device_table_value(tables));
    if (registers.read64(amdvi::device_table_base) != device_table_value(tables)) return Failure{DenyError::not_kept};
    start_ring(registers, tables);
    return invalidate(registers, clock, tables, 0);
}

Status<DenyError> switch_tables(RegisterBlock& registers, const Clock& clock, const DenyTables& from,
                                const DenyTables& to) {
    fill_deny(to.table);
    // ORDER: the new table is in memory before the IOMMU learns its address.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    registers.write64(amdvi::device_table_base, device_table_value(to));
    if (registers.read64(amdvi::device_table_base) != device_table_value(to)) return Failure{DenyError::not_kept};
    TRY(invalidate(registers, clock, from, 2));
    registers.write64(amdvi::control, amdvi::iommu_en | amdvi::coherent);
    start_ring(registers, to);
    return invalidate(registers, clock, to, 0);
}

} // namespace casemate::hw
