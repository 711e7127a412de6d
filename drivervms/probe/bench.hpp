// SPDX-License-Identifier: Apache-2.0
// Measurements of a VM's device, its own or a driver VM's over a link, for `./casemate bench`: one at a time, each between a
// quiet time before and one after it, so that the host can read the hypervisor's exit counters around it. Proves nothing
// about the bytes: that is what net_probe and disk_probe are for, and their digests would cost more than the driver.
// Who calls it: cm-probe, in a driver VM, in its client and on the native kernel alike.
//
//   CM_BENCH begin metric=NAME
//   CM_BENCH end metric=NAME value=V seconds=S work=N interrupts=I     value in the metric's own unit
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace casemate::probe {

/// What one measurement gave.
struct Measured {
    double value = 0;   // Mb/s, packets/s, microseconds, MB/s or I/Os a second: as the metric says
    double seconds = 0; // of the measured work alone
    std::uint64_t work = 0; // packets seen by the NIC, or I/Os
};

/// By metric name; the argument is the amount from the plan.
using Measurements = std::map<std::string, std::function<Measured(std::uint64_t)>>;

/// Runs `plan`, for example "idle:5,tcp_receive:192", with `quiet` seconds before, between and after. Throws on an unknown metric.
void run_plan(const Measurements& known, const std::string& plan, unsigned quiet);

/// Nothing for so many seconds: what the VM costs by itself.
[[nodiscard]] Measured measure_idle(std::uint64_t seconds);

/// `peer` is the address of `casemate-peer serve`.
[[nodiscard]] Measurements net_measurements(const std::string& interface, const std::string& peer, std::uint16_t port);
/// Destroys what is on `device`.
[[nodiscard]] Measurements disk_measurements(const std::string& device);

} // namespace casemate::probe
