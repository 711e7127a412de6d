// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/workloads.hpp"

namespace casemate::bench {
namespace {

constexpr Workload table[] = {
    {.name = "net", .family = Family::net, .driver = "net0", .native = true},
    {.name = "disk", .family = Family::disk, .driver = "disk0", .native = true},
    {.name = "client-net", .family = Family::client_net, .driver = "net0", .client = true},
    {.name = "client-disk", .family = Family::client_disk, .driver = "disk0", .client = true},
    {.name = "restart-cold", .family = Family::restart, .driver = "net0", .restart = "cold"},
    {.name = "restart-warm", .family = Family::restart, .driver = "net0", .restart = "warm"},
    {.name = "vms-1", .family = Family::vms, .driver = "net0"},
    {.name = "vms-2", .family = Family::vms, .driver = "net0", .idle_vms = 1},
    {.name = "vms-4", .family = Family::vms, .driver = "net0", .idle_vms = 3},
    {.name = "vms-8", .family = Family::vms, .driver = "net0", .idle_vms = 7},
};

} // namespace

std::span<const Workload> workloads() { return table; }

const char* vm_of(const Workload& workload) { return workload.client ? "client0" : workload.driver; }

bool uses_disk(const Workload& workload) { return std::string{workload.driver} == "disk0"; }

unsigned lives_of(const Workload& workload) { return *workload.restart == '\0' ? 1 : 2; }

unsigned vms_of(const Workload& workload) { return 1 + (workload.client ? 1 : 0) + workload.idle_vms; }

} // namespace casemate::bench
