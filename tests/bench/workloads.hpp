// SPDX-License-Identifier: Apache-2.0
// The table of the machines that are measured: which VMs their policies have, who measures, and what is done to them.
#pragma once

#include <span>
#include <string>

namespace casemate::bench {

/// Workloads of one family measure the same metrics.
enum class Family { net, disk, restart, client_net, client_disk, vms };

/// Besides the agent each has one driver VM, the only one with a device.
struct Workload {
    const char* name;
    Family family;
    const char* driver;
    bool native = false;      // measured on the native kernel too
    bool client = false;      // a client of the driver VM measures, not the driver VM itself
    const char* restart = ""; // "cold" or "warm": the driver VM crashes, and what counts is its second life
    unsigned idle_vms = 0;    // further VMs, which do nothing
};

[[nodiscard]] std::span<const Workload> workloads();
/// The VM that measures.
[[nodiscard]] const char* vm_of(const Workload& workload);
/// The probe measures a disk, not a network.
[[nodiscard]] bool uses_disk(const Workload& workload);
/// How often the VM that measures is started.
[[nodiscard]] unsigned lives_of(const Workload& workload);
/// Without the agent.
[[nodiscard]] unsigned vms_of(const Workload& workload);

} // namespace casemate::bench
