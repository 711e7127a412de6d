// SPDX-License-Identifier: Apache-2.0
// The AMD-Vi back end: who may do DMA and raise interrupts, and the proof that a change has taken effect.
// Invariant: every requester is denied unless attach() succeeded for it and detach() was not called since;
// when attach() or detach() returns, the hardware has dropped every older translation (COMPLETION_WAIT). It
// takes over the tables that the SLB made and refuses any other state. Callers switch the device's bus master
// bit themselves: on after attach(), off before detach() [docs/architecture.md, custody].
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/hw/amdvi_command.hpp"
#include "hypervisor/hw/clock.hpp"
#include "hypervisor/hw/register_block.hpp"

#include <span>

namespace casemate::hw {

/// Any of them means that isolation cannot be shown: the caller must stop the machine.
enum class IommuError {
    disabled = 1,   // translation or the command ring is off
    foreign_tables, // the registers do not name the SLB's tables, or another entry format is on
    not_denied,     // an entry of the device table is not the deny entry
    stuck,          // a COMPLETION_WAIT was not stored in time
};

/// The memory that the SLB prepared, seen by processor and by IOMMU. `completion` is one word of our own.
struct IommuMemory {
    std::span<DeviceTableEntry> table{};
    HostPhys table_at{};
    std::span<IommuCommand> ring{}; // a power of two of entries, at least 256
    HostPhys ring_at{};
    std::uint64_t* completion = nullptr;
    HostPhys completion_at{};
};

class AmdVi {
public:
    static Result<AmdVi, IommuError> adopt(RegisterBlock& registers, const Clock& clock,
                                           const IommuMemory& memory);

    Status<IommuError> attach(RequesterId requester, const DeviceAccess& access);
    /// Interrupts of a requester that never does DMA.
    Status<IommuError> attach_interrupts(RequesterId requester, HostPhys table, unsigned log2_entries);
    Status<IommuError> detach(RequesterId requester, DomainId old_domain);
    /// After the removal of pages from a domain's page table.
    Status<IommuError> flush(DomainId domain);

    [[nodiscard]] const DeviceTableEntry& entry(RequesterId requester) const {
        return memory_.table[requester.value];
    }

private:
    AmdVi(RegisterBlock& registers, const Clock& clock, const IommuMemory& memory, std::uint64_t tail)
        : registers_{&registers}, clock_{&clock}, memory_{memory}, tail_{tail} {}

    Status<IommuError> publish_entry(RequesterId requester, const DeviceTableEntry& wanted, DomainId domain);
    Status<IommuError> synchronise(RequesterId requester, DomainId domain);
    void queue(const IommuCommand& command);
    Status<IommuError> complete();

    RegisterBlock* registers_;
    const Clock* clock_;
    IommuMemory memory_;
    std::uint64_t tail_; // next free ring entry
    std::uint64_t ticket_ = 0;
};

} // namespace casemate::hw
