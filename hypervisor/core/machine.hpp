// SPDX-License-Identifier: Apache-2.0
// The whole machine: memory, cores, VMs. The root of ownership; there is one, made in core/main.cpp.
// Invariant: everything is allocated before the first VM runs; nothing is ever freed.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/vm.hpp"
#include "hypervisor/mm/frame_table.hpp"
#include "hypervisor/mm/tcb_memory.hpp"
#include "policy/model/policy.hpp"

#include <array>
#include <span>

namespace casemate::core {

/// What custody and the devices add to the machine. Every call comes on the boot core, interrupts off, outside guests.
class MachineHooks {
public:
    /// The VM executes nothing any more. Its devices must be cut off before this returns: its memory is wiped next, or, if it returns
    /// true, put back as its snapshot has it.
    [[nodiscard]] virtual bool on_vm_stopped(Vm& vm, StopCause cause, StopReason reason) = 0;
    /// Its snapshot is taken, once.
    virtual void on_snapshot(Vm& vm, const measure::Sha256Digest& digest) = 0;
    /// The VM is wiped and loaded again: start() would run it.
    virtual void on_vm_ready(Vm& vm) = 0;
    /// At least every Machine::tick_interval_ms. `now_ms` counts from the launch.
    virtual void tick(std::uint64_t now_ms) = 0;
    /// One of the lines that PCI functions share has interrupted: line 0 is pin 16 of the host's I/O APIC.
    virtual void on_pci_interrupt(unsigned line) = 0;

protected:
    ~MachineHooks() = default;
};

class Machine {
public:
    static constexpr std::size_t max_cpus = 32;
    static constexpr std::size_t max_vms = policy::max_vms;
    static constexpr std::uint64_t tick_interval_ms = 20; // a lease ends within 100 ms of its deadline

    /// Copies what the SLB left; claims TCB, SLB and image frames.
    void adopt(const launch::BootInfo& boot);

    [[nodiscard]] const launch::BootInfo& boot() const { return boot_; }
    [[nodiscard]] mm::FrameTable& frames() { return frames_; }
    [[nodiscard]] mm::TcbMemory& tcb_memory() { return tcb_memory_; }
    /// The image that the launcher loaded under this file name, or empty.
    [[nodiscard]] ByteView image(std::string_view file) const;
    /// Milliseconds since the SLB's first instruction.
    [[nodiscard]] std::uint64_t now_ms() const;

    /// Reserves what `count` cores need, before they start. False when TCB memory is short.
    [[nodiscard]] bool prepare_cpus(unsigned count);
    /// On the core itself: makes it one of the machine's. False if it cannot run guests.
    [[nodiscard]] bool adopt_cpu(unsigned index);
    void set_cpu_count(unsigned count) { cpu_count_ = count; }
    [[nodiscard]] std::span<Cpu* const> cpus() const { return {cpus_.data(), cpu_count_}; }

    /// Memory, tables, virtual devices and links of every VM of the policy; false, and a line in the log, if one cannot be.
    [[nodiscard]] bool define_vms(const policy::Policy& policy);
    [[nodiscard]] std::span<Vm* const> vms() const { return {vms_.data(), vm_count_}; }
    /// In the order of the policy.
    [[nodiscard]] std::span<vlink::Link* const> links() const { return {links_.data(), link_count_}; }

    void set_hooks(MachineHooks& hooks) { hooks_ = &hooks; }
    /// Boot core, once a round: reports stopped and ready VMs to the hooks; ticks when it is time.
    void service();
    void pci_interrupt(unsigned line) {
        if (hooks_ != nullptr) hooks_->on_pci_interrupt(line);
    }

private:
    [[nodiscard]] bool add_vm(const policy::Vm& definition);
    [[nodiscard]] bool add_link(unsigned number, const policy::Link& link);
    [[nodiscard]] bool allocate(const VmDefinition& definition, mm::FrameOwner owner, VmResources& resources);
    [[nodiscard]] bool make_msr_maps();
    [[nodiscard]] bool reserve_snapshot(VmResources& resources);

    launch::BootInfo boot_;
    mm::FrameTable frames_;
    mm::TcbMemory tcb_memory_;
    mm::MsrPermissionMap* msr_map_ = nullptr; // one for all: the allow-list is the same
    mm::MsrPermissionMap* direct_msr_map_ = nullptr;
    std::array<Cpu*, max_cpus> cpus_{};
    unsigned cpu_count_ = 0;
    std::array<Vm*, max_vms> vms_{};
    std::size_t vm_count_ = 0;
    std::array<VmState, max_vms> seen_{};        // by service(), last round
    std::array<bool, max_vms> snapshot_seen_{};
    std::array<vlink::Link*, policy::max_links> links_{};
    std::size_t link_count_ = 0;
    MachineHooks* hooks_ = nullptr;
    std::uint64_t next_tick_ = 0;
};

} // namespace casemate::core
