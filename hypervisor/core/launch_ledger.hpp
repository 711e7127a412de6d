// SPDX-License-Identifier: Apache-2.0
// The custody ledger: appends entries to the event log and extends PCR 19 with them in every active bank.
// Invariant: what the log holds and what PCR 19 holds are the same sequence. If the TPM fails between the
// two, the ledger is broken for good and refuses every further entry; so does a full log. Callers write
// ahead: no entry, no action that gives a device away. Taking one back never waits for an entry. Boot core
// only.
#pragma once

#include "dlaunch/measure/ledger_entry.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "hypervisor/core/tpm_service.hpp"

namespace casemate::core {

class LaunchLedger {
public:
    /// Continues the SLB's log. Nothing when that log is not one, or has other banks than the TPM.
    static std::optional<LaunchLedger> resume(const launch::BootInfo& boot, TpmService& tpm);

    /// Sequence and time are filled in here. False: not recorded, and the reason is on the console.
    [[nodiscard]] bool append(measure::LedgerEntry entry, std::uint64_t time_ms);
    /// Whether that many more entries of at most `data_size` bytes of event data would fit.
    [[nodiscard]] bool has_room(std::size_t entries, std::size_t data_size) const;
    [[nodiscard]] bool broken() const { return broken_; }
    [[nodiscard]] ByteView log() const { return log_.log(); }
    [[nodiscard]] const measure::Banks& banks() const { return log_.banks(); }

private:
    LaunchLedger(const measure::EventLogWriter& log, std::size_t capacity, TpmService& tpm)
        : log_{log}, capacity_{capacity}, tpm_{&tpm} {}

    measure::EventLogWriter log_;
    std::size_t capacity_;
    TpmService* tpm_;
    std::uint64_t next_sequence_ = 0;
    std::uint64_t last_time_ms_ = 0;
    bool broken_ = false;
};

} // namespace casemate::core
