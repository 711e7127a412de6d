// SPDX-License-Identifier: Apache-2.0
// The whole machine: memory, cores, VMs. The root of ownership; there is one, made in core/main.cpp.
// Invariant: everything is allocated before the first VM runs; nothing is freed.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/tcb_memory.hpp"
#include "hypervisor/core/vm.hpp"
#include "hypervisor/mm/frame_table.hpp"

#include <array>
#include <span>

namespace casemate::core {

/// What custody and the devices add to the machine. Every call comes on the boot core, interrupts off, outside any
/// guest; call Cpu::take_fpu() before using cryptography.
class MachineHooks {
public:
    /// The VM executes nothing any more; its devices must be drained and quarantined before this returns, because
    /// its memory is wiped next.
    virtual void on_vm_stopped(Vm& vm, StopCause cause, StopReason reason) = 0;
    /// The VM is wiped and loaded again: start() will run it.
    virtual void on_vm_ready(Vm& vm) = 0;
    /// At least every tick_interval while VMs run.
    virtual void tick(std::uint64_t now_ms) = 0;

protected:
    ~MachineHooks() = default;
};

class Machine {
public:
    static constexpr std::size_t max_cpus = 64;
    static constexpr std::size_t max_vms = 16;
    static constexpr std::uint64_t tick_interval_ms = 10;

    /// Takes a copy of what the SLB left; claims TCB, SLB and image frames.
    explicit Machine(const launch::BootInfo& boot);

    [[nodiscard]] const launch::BootInfo& boot() const { return boot_; }
    [[nodiscard]] mm::FrameTable& frames() { return frames_; }
    [[nodiscard]] TcbMemory& tcb_memory() { return tcb_memory_; }
    /// The image that the launcher loaded under this file name, or empty.
    [[nodiscard]] ByteView image(std::string_view file) const;

    [[nodiscard]] Cpu* add_cpu(std::uint8_t apic_id);
    [[nodiscard]] std::span<Cpu* const> cpus() const { return {cpus_.data(), cpu_count_}; }
    /// Memory, page tables, devices of the VM; false (and a log line) if it does not fit.
    [[nodiscard]] bool add_vm(const VmDefinition& definition);
    [[nodiscard]] std::span<Vm* const> vms() const { return {vms_.data(), vm_count_}; }
    [[nodiscard]] Vm* vm_by_name(std::string_view name) const;

    void set_hooks(MachineHooks& hooks) { hooks_ = &hooks; }
    /// Boot core only: reports stopped and ready VMs to the hooks, ticks.
    void service(std::uint64_t now_ms);

private:
    launch::BootInfo boot_;
    mm::FrameTable frames_;
    TcbMemory tcb_memory_;
    std::array<Cpu*, max_cpus> cpus_{};
    std::size_t cpu_count_ = 0;
    std::array<Vm*, max_vms> vms_{};
    std::array<VmState, max_vms> reported_{};
    std::size_t vm_count_ = 0;
    MachineHooks* hooks_ = nullptr;
};

} // namespace casemate::core
