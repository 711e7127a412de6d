// SPDX-License-Identifier: Apache-2.0
// The answers of the control device that describe the machine (docs/interfaces/control.md): info, gates,
// status, leases. Each is encoded straight into the window and nothing is read back. 0 = it did not fit.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "hypervisor/core/machine.hpp"
#include "hypervisor/custody/custody.hpp"

namespace casemate::core {

/// What the answers are made from.
struct StatusSources {
    const Machine& machine;
    const custody::Custody& custody;
    std::uint64_t now_ms;
};

[[nodiscard]] std::size_t write_info(ByteSpan out, const StatusSources& sources, std::size_t log_bytes,
                                     std::uint32_t events, const measure::Banks& banks);
[[nodiscard]] std::size_t write_gates(ByteSpan out, const StatusSources& sources);
[[nodiscard]] std::size_t write_status(ByteSpan out, const StatusSources& sources);
[[nodiscard]] std::size_t write_leases(ByteSpan out, const StatusSources& sources);

} // namespace casemate::core
