// SPDX-License-Identifier: Apache-2.0
// The console's picture of the ledger: one machine-readable line for each entry that was recorded.
// The core prints vm_started and vm_stopped itself, when they happen.
#pragma once

#include "dlaunch/measure/ledger_entry.hpp"
#include "hypervisor/core/vm_measurement.hpp"
#include "policy/model/policy.hpp"

namespace casemate::core {

void log_entry(const measure::LedgerEntry& entry, std::uint64_t now_ms, const policy::Policy& policy,
               const VmMeasurements& measurements);

} // namespace casemate::core
