// SPDX-License-Identifier: Apache-2.0
// From the SLB's hand-over to running VMs. Order matters: own page tables, descriptor tables and clock before anything
// else; cores before VMs (a VM is placed on one); custody before the first guest instruction.
#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/paging.hpp"
#include "hypervisor/arch/start_cores.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/core/custody_service.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/machine.hpp"
#include "policy/model/payload.hpp"

namespace casemate::core {
namespace {

// One each, in the image's data: they are too large for a stack and live for ever.
Machine machine;
policy::Policy policy_values;
std::atomic<unsigned> cores_released{0}; // how many cores may run; 0 = not yet

/// A launch that cannot go on: nothing was granted, nothing runs.
[[noreturn]] void refuse_launch(std::string_view why) {
    LogLine{"@cm event=launch_failure"}.key("stage", "hypervisor").key("why", why);
    arch::halt_forever();
}

void require(const Status<CustodyFailure>& status) {
    if (status.ok()) return;
    LogLine{"@cm event=launch_failure"}.key("stage", "custody").key("code", static_cast<unsigned>(status.error()));
    arch::halt_forever();
}

/// Made when the machine is there; lives for ever.
CustodyService& make_custody() {
    auto* const service = machine.tcb_memory().make<CustodyService>(machine, policy_values);
    if (service == nullptr) refuse_launch("tcb_memory");
    return *service;
}

bool is_ours(const launch::BootInfo& boot) {
    return boot.magic == launch::boot_magic && boot.version == launch::layout_version &&
           boot.size == sizeof(launch::BootInfo) && boot.memory_range_count <= launch::max_memory_ranges &&
           boot.image_count <= launch::max_images;
}

void take_over(const launch::BootInfo& boot) {
    machine.adopt(boot);
    const auto root = arch::build_page_tables(machine.tcb_memory(), HostPhys{boot.hypervisor.base},
                                              {boot.memory, boot.memory_range_count});
    if (!root) refuse_launch("tcb_memory");
    arch::load_page_tables(*root);
    if (!machine.prepare_cpus(Machine::max_cpus)) refuse_launch("tcb_memory");
    if (!machine.adopt_cpu(0)) refuse_launch("svm");
    arch::silence_legacy_pic();
    if (!arch::calibrate_clock()) refuse_launch("clock");
}

void read_policy() {
    const launch::Extent& payload = machine.boot().policy;
    const ByteView bytes{reinterpret_cast<const std::uint8_t*>(payload.base), payload.size};
    if (!policy::parse_policy(bytes, policy_values)) refuse_launch("policy");
}

unsigned highest_core() {
    unsigned highest = 0;
    for (const policy::Vm& vm : std::span{policy_values.vms.data(), policy_values.vm_count})
        highest = std::max<unsigned>(highest, vm.core);
    return highest;
}

void start_cores() {
    const launch::BootInfo& boot = machine.boot();
    const unsigned others =
        arch::start_cores(machine.tcb_memory(),
                          {{boot.memory, boot.memory_range_count}, Machine::max_cpus - 1, highest_core()});
    machine.set_cpu_count(1 + others);
    LogLine{"@cm event=hypervisor_start"}.key("cores", 1 + others).key("tsc_khz", arch::clock_rates().tsc_khz).key("launch", static_cast<unsigned>(boot.kind));
    if (boot.kind == launch::LaunchKind::unmeasured) LogLine{"@cm event=no_measured_launch no measured launch: every grant is refused"};
}

} // namespace
} // namespace casemate::core

extern "C" [[noreturn]] void hypervisor_main(const casemate::launch::BootInfo* boot) {
    using namespace casemate;
    using namespace casemate::core;
    open_console();
    if (!is_ours(*boot)) refuse_launch("boot_info");
    take_over(*boot);
    read_policy();
    start_cores();
    if (!machine.define_vms(policy_values)) refuse_launch("vm");
    CustodyService& custody = make_custody();
    require(custody.prepare());
    require(custody.begin());
    // ORDER: release, with the acquire in core_main(): cores see the finished machine.
    cores_released.store(static_cast<unsigned>(machine.cpus().size()), std::memory_order_release);
    for (Cpu* const cpu : machine.cpus()) cpu->kick();
    machine.cpus()[0]->run();
}

namespace casemate::arch {

/// `number` counts from 0; the boot core is 0, so this is core number + 1. A core that came after the count sleeps.
extern "C" void core_main(unsigned number) {
    using namespace casemate::core;
    arch::load_page_tables(arch::page_table_root());
    if (!machine.adopt_cpu(number + 1)) arch::halt_forever();
    unsigned released = 0;
    while ((released = cores_released.load(std::memory_order_acquire)) == 0) arch::wait_for_interrupt();
    if (number + 1 >= released) arch::halt_forever();
    machine.cpus()[number + 1]->run();
}

} // namespace casemate::arch
