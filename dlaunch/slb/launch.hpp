// SPDX-License-Identifier: Apache-2.0
// The sequence of a launch, from fenced DMA to the hypervisor's entry. Called once, by main.cpp.
#pragma once

#include "dlaunch/slb/launch_failure.hpp"
#include "hypervisor/hw/tsc_clock.hpp"

namespace casemate::slb {

/// Returns only when the launch failed. `slb` is the SLB's base, `tsc` the time of its first instruction.
LaunchFailure launch(HostPhys slb, std::uint64_t tsc, const hw::TscClock& clock);

} // namespace casemate::slb
