// SPDX-License-Identifier: Apache-2.0
// What the custody state machine asks of the machine. One implementation in the hypervisor, one recorder in the tests.
// Contract: an action never calls back into Custody; what it starts and does not finish is reported by an event later.
#pragma once

#include "dlaunch/measure/ledger_entry.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace casemate::custody {

/// Indices into policy::Policy::devices and ::vms.
using DeviceIndex = std::size_t;
using VmIndex = std::size_t;

enum class ResetProgress : std::uint8_t {
    pending, // Custody::reset_done() follows
    worked,  // done at once; for a device without a reset: it is quiet (bus master, MSI and MSI-X off)
    failed,
};

class CustodyActions {
public:
    /// 32 fresh bytes of the TPM's random number generator; false if it has none.
    [[nodiscard]] virtual bool random_nonce(measure::GateNonce& nonce) = 0;
    /// The TPM's clock in ms, the same that a quote shows; nothing if the TPM does not say.
    [[nodiscard]] virtual std::optional<std::uint64_t> tpm_clock() = 0;
    /// Room in the log for that many entries of max_routine_event bytes.
    [[nodiscard]] virtual bool ledger_has_room(std::size_t entries) = 0;
    /// Extends PCR 19 and appends to the log; fills in sequence and time_ms. False: nothing was recorded.
    [[nodiscard]] virtual bool record(const measure::LedgerEntry& entry) = 0;

    /// The device is unreachable and denied here; it resets, or goes quiet where it cannot.
    [[nodiscard]] virtual ResetProgress start_reset(DeviceIndex device) = 0;
    /// Maps the device, opens its IOMMU entry and interrupts to the VM. False: it is as if not called.
    [[nodiscard]] virtual bool attach(DeviceIndex device, VmIndex vm) = 0;
    /// Bus master off, deny entry, invalidate, completion wait, BARs unmapped. When it returns, no DMA and no interrupt
    /// of the device arrives any more; a machine that cannot do that must stop.
    virtual void detach(DeviceIndex device) = 0;

    /// The VM is ready; it runs from now on.
    virtual void start_vm(VmIndex vm) = 0;
    /// The VM shall stop; Custody::vm_stopped() follows when none of its instructions can run any more.
    virtual void stop_vm(VmIndex vm, measure::Cause cause) = 0;

protected:
    ~CustodyActions() = default;
};

/// Event data of every entry but vm_defined.
inline constexpr std::size_t max_routine_event = 512;

} // namespace casemate::custody
