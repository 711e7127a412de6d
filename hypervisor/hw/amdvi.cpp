// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hw/amdvi.hpp"

#include "hypervisor/base/check.hpp"
#include "hypervisor/hw/amdvi_registers.hpp"

#include <atomic>
#include <bit>

namespace casemate::hw {

namespace {

constexpr std::uint64_t ga_en = 1ull << 17; // control: 128-bit interrupt entries
constexpr std::uint64_t base_address = 0x000ffffffffff000;

// No command takes long; a real IOMMU needs microseconds. QEMU runs the ring inside the tail write.
constexpr Micros completion_limit{100'000};

// ORDER: release, so that what an entry or command refers to is in memory before the hardware can see it.
void store64(std::uint64_t& word, std::uint64_t value) {
    std::atomic_ref{word}.store(value, std::memory_order_release);
}

} // namespace

Result<AmdVi, IommuError> AmdVi::adopt(RegisterBlock& registers, const Clock& clock,
                                       const IommuMemory& memory) {
    CHECK(memory.table.size() == device_table_entries &&
          (memory.ring.size() & (memory.ring.size() - 1)) == 0);
    const std::uint64_t on = amdvi::iommu_en | amdvi::cmd_buf_en;
    const std::uint64_t state = registers.read64(amdvi::control);
    if ((state & on) != on) return Failure{IommuError::disabled};
    if (state & ga_en) return Failure{IommuError::foreign_tables};
    if (registers.read64(amdvi::device_table_base) != (memory.table_at.value | amdvi::device_table_size_mask))
        return Failure{IommuError::foreign_tables};
    const std::uint64_t ring = registers.read64(amdvi::command_base);
    if ((ring & base_address) != memory.ring_at.value ||
        ring >> amdvi::command_length_shift != static_cast<unsigned>(std::countr_zero(memory.ring.size())))
        return Failure{IommuError::foreign_tables};
    for (const DeviceTableEntry& entry : memory.table)
        if (entry != deny_entry()) return Failure{IommuError::not_denied};
    const std::uint64_t tail =
        registers.read64(amdvi::command_tail) / sizeof(IommuCommand) % memory.ring.size();
    AmdVi iommu{registers, clock, memory, tail};
    TRY(iommu.complete());
    return iommu;
}

Status<IommuError> AmdVi::attach(RequesterId requester, const DeviceAccess& access) {
    return publish_entry(requester, access_entry(access), access.domain);
}

Status<IommuError> AmdVi::attach_interrupts(RequesterId requester, HostPhys table, unsigned log2_entries) {
    return publish_entry(requester, interrupt_only_entry(table, log2_entries), {});
}

Status<IommuError> AmdVi::publish_entry(RequesterId requester, const DeviceTableEntry& wanted,
                                        DomainId domain) {
    DeviceTableEntry& live = memory_.table[requester.value];
    CHECK(live == deny_entry());
    publish(live, wanted, store64);
    return synchronise(requester, domain);
}

Status<IommuError> AmdVi::detach(RequesterId requester, DomainId old_domain) {
    retract(memory_.table[requester.value], store64);
    return synchronise(requester, old_domain);
}

Status<IommuError> AmdVi::flush(DomainId domain) {
    queue(command::invalidate_all_pages(domain));
    return complete();
}

// ORDER: the entry first, then what was cached by way of it [AMDVI 2.2.2.2, 2.4.2].
Status<IommuError> AmdVi::synchronise(RequesterId requester, DomainId domain) {
    queue(command::invalidate_devtab_entry(requester));
    queue(command::invalidate_all_pages(domain));
    queue(command::invalidate_interrupt_table(requester));
    return complete();
}

// The ring never fills: each batch has at most five commands and ends with a wait for all of them.
void AmdVi::queue(const IommuCommand& command) {
    IommuCommand& slot = memory_.ring[tail_];
    for (std::size_t i = 0; i < command.word.size(); ++i) store64(slot.word[i], command.word[i]);
    tail_ = (tail_ + 1) & (memory_.ring.size() - 1);
}

Status<IommuError> AmdVi::complete() {
    const std::atomic_ref<std::uint64_t> completion{*memory_.completion};
    ++ticket_;
    queue(command::completion_wait(memory_.completion_at, ticket_));
    registers_->write64(amdvi::command_tail, tail_ * sizeof(IommuCommand));
    const Deadline deadline{*clock_, completion_limit};
    // ORDER: acquire, pairs with the hardware's store after it has finished the commands.
    while (completion.load(std::memory_order_acquire) != ticket_)
        if (deadline.passed()) return Failure{IommuError::stuck};
    return Done{};
}

} // namespace casemate::hw
