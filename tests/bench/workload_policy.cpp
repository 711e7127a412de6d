// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/workload_policy.hpp"

#include "dlaunch/session/policy_variant.hpp"

namespace casemate::bench {
namespace {

// Until then a driver VM in its first life has used its NIC, and in its second it has had time for it.
constexpr unsigned crash_seconds = 12;

/// The address of a VM where there is nobody to give it one.
std::string address(const Network& network, const char* last) {
    return network.tap.empty() ? "" : std::string{" cm.net_address=10.0.2."} + last + "/24";
}

/// A driver VM that leaves the measuring to its client.
std::string serving_arguments(const Task& task) {
    return uses_disk(*task.workload) ? " cm.disk_mb=0" : " cm.net_mb=0" + address(task.network, "15");
}

std::string driver_arguments(const Task& task, unsigned quiet) {
    if (task.workload->client) return serving_arguments(task);
    return measuring_arguments(task, quiet) +
           (lives_of(*task.workload) > 1 ? " cm.crash_after=" + std::to_string(crash_seconds) : "");
}

/// The driver VM's own lines of the default policy, and what becomes of them: it has core 1 for itself, unless further VMs are there to share it.
std::pair<std::string, std::string> driver_change(const Task& task, unsigned quiet) {
    const Workload& workload = *task.workload;
    const std::string command = "initrd = \"" + std::string{workload.driver} + ".img\"\ncommand_line = \"console=ttyS0 quiet panic=-1";
    const std::string rest = "\"\nmemory_mib = 128\ncore = ";
    const std::string shared = std::string{uses_disk(workload) ? "0" : "1"} + "\nplacement = \"shared\"";
    const bool alone = workload.family != Family::vms;
    return {command + rest + shared, command + driver_arguments(task, quiet) + rest + (alone ? "1\nplacement = \"dedicated\"" : shared)};
}

/// On the agent's core.
session::ClientVm client_of(const Task& task, unsigned quiet) {
    const bool disk = uses_disk(*task.workload);
    return {.name = "client0",
            .core = 0,
            .server = task.workload->driver,
            .parameters = (disk ? "cm.disk=1:1" : "cm.net=1") + measuring_arguments(task, quiet)};
}

} // namespace

std::string measuring_arguments(const Task& task, unsigned quiet) {
    const std::string common = " cm.quiet=" + std::to_string(quiet);
    if (uses_disk(*task.workload)) return common + " cm.disk_mb=0 cm.disk_bench=" + task.plan;
    return common + " cm.net_mb=0 cm.net_bench=" + task.plan + " cm.net_peer=" + task.network.peer_address +
           " cm.net_port=" + std::to_string(task.network.port) + address(task.network, task.workload->client ? "16" : "15");
}

model::Outcome<std::string> policy_source(const std::string& standard, const Task& task, unsigned quiet) {
    const Workload& workload = *task.workload;
    session::Changes changes{driver_change(task, quiet)};
    if (*workload.restart != '\0') changes.emplace_back("restart = \"warm\"", "restart = \"" + std::string{workload.restart} + "\"");
    std::string source = TRY(session::changed(session::without_tables(standard, uses_disk(workload) ? "net0" : "disk0"), changes));
    if (workload.client) source += session::client_tables(client_of(task, quiet));
    for (unsigned i = 0; i < workload.idle_vms; ++i)
        source += session::client_tables({.name = "idle" + std::to_string(i), .core = i % 2, .server = "", .parameters = ""});
    return source;
}

} // namespace casemate::bench
