// SPDX-License-Identifier: Apache-2.0
// A virtual machine: its memory, nested page table, permission maps, virtual devices and processor.
//
//   building --build()--> READY --start()--> RUNNING --stop()/guest fault--> PARKED
//                           ^                                                  | boot core: MachineHooks::on_vm_stopped
//                           '----- LOADING <---- WIPING <----------------------'  (its devices are quarantined there)
//
// Invariant: memory is zero before an image is loaded into it; a VM that is not RUNNING executes nothing; its memory
// is wiped only after on_vm_stopped has returned, so no device can still reach it.
// start/stop/restart may be called on any core and return at once; the VM's own core acts on them.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/core/exit_counters.hpp"
#include "hypervisor/core/stop_reason.hpp"
#include "hypervisor/core/tcb_memory.hpp"
#include "hypervisor/core/vcpu.hpp"
#include "hypervisor/devices/io_bus.hpp"
#include "hypervisor/devices/pci_bus.hpp"
#include "hypervisor/devices/platform.hpp"
#include "hypervisor/mm/guest_memory.hpp"
#include "hypervisor/mm/nested_page_table.hpp"
#include "hypervisor/mm/permission_maps.hpp"

#include <atomic>
#include <string_view>

namespace casemate::core {

class Cpu;
class Machine;

enum class VmRole : std::uint8_t { agent = 0, driver = 1, client = 2 };
enum class VmState : std::uint8_t { building, ready, running, parked, wiping, loading };

/// From the policy; the strings lie in the verified policy payload.
struct VmDefinition {
    std::string_view name;
    VmRole role;
    ByteView kernel; // UNTRUSTED contents, measured by custody
    ByteView initrd;
    std::string_view command_line;
    std::uint64_t memory_bytes;
    unsigned core;
    bool dedicated;
};

/// The device interrupt vectors of this VM on its core: the remapping entry for guest vector v >= guest_first sends
/// host vector host_first + (v - guest_first) to the core's APIC; every other entry stays closed.
struct VectorWindow {
    std::uint8_t guest_first = 0;
    std::uint8_t count = 0;
    std::uint8_t host_first = 0;
};

class Vm {
public:
    using PageTable = mm::NestedPageTable<TcbMemory>;

    /// Memory, tables and virtual devices; nothing is loaded yet. Boot only.
    static Vm* create(Machine& machine, std::size_t index, const VmDefinition& definition, Cpu& core);

    [[nodiscard]] std::string_view name() const { return definition_.name; }
    [[nodiscard]] std::size_t index() const { return index_; }
    [[nodiscard]] const VmDefinition& definition() const { return definition_; }
    [[nodiscard]] mm::FrameOwner frame_owner() const { return mm::vm_owner(index_); }
    [[nodiscard]] VmState state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint32_t starts() const { return starts_; }
    [[nodiscard]] StopCause stop_cause() const { return cause_; }
    [[nodiscard]] StopReason stop_reason() const { return reason_; }
    [[nodiscard]] const ExitCounters& exits() const { return exits_; }
    [[nodiscard]] ExitCounters& exits() { return exits_; }

    void start();
    void stop(StopCause cause);
    /// stop, wipe, load again, start.
    void restart(StopCause cause);
    /// A fault or exit of the guest itself; only on its own core, from an exit handler or virtual device.
    void end(StopCause cause, StopReason reason);

    [[nodiscard]] const mm::GuestMemory& memory() const { return memory_; }
    [[nodiscard]] HostRange host_memory() const { return ram_; }
    [[nodiscard]] PageTable& page_table() { return page_table_; }
    [[nodiscard]] HostPhys page_table_root() const { return page_table_.root(); }
    /// Pages of this VM that are not part of its RAM, zeroed, for map_window(); boot only.
    [[nodiscard]] std::optional<HostRange> allocate_window(std::uint64_t bytes);
    [[nodiscard]] mm::IoPermissionMap& ports() { return io_map_; }
    [[nodiscard]] devices::IoBus& bus() { return bus_; }
    [[nodiscard]] devices::PciBus& pci() { return platform_.pci; }
    [[nodiscard]] devices::Platform& platform() { return platform_; }
    [[nodiscard]] Vcpu& vcpu() { return vcpu_; }
    [[nodiscard]] Cpu& core() { return core_; }
    [[nodiscard]] VectorWindow& vectors() { return vectors_; }

    // --- called by its core and by the boot core only
    /// Does what is due in this state; true if there is more to do at once.
    bool service();
    void devices_released(); // PARKED -> WIPING

private:
    Vm(Machine& machine, std::size_t index, const VmDefinition& definition, Cpu& core, PageTable table, HostRange ram,
       HostRange windows, Vmcb& vmcb, void* fpu_area, mm::IoPermissionMap& io_map);
    void register_devices();
    void park();
    bool wipe_step();
    void load();
    void launch();

    const VmDefinition definition_;
    const std::size_t index_;
    Cpu& core_;
    PageTable page_table_;
    HostRange ram_;
    HostRange windows_; // rest of the frames for allocate_window()
    mm::GuestMemory memory_;
    mm::IoPermissionMap& io_map_;
    devices::IoBus bus_{};
    devices::Platform platform_;
    Vcpu vcpu_;
    VectorWindow vectors_{};
    ExitCounters exits_{};

    std::atomic<VmState> state_{VmState::building};
    std::atomic<bool> start_requested_{false};
    std::atomic<StopCause> stop_requested_{StopCause::none};
    StopCause cause_ = StopCause::none;
    StopReason reason_ = StopReason::none;
    std::uint32_t starts_ = 0;
    std::uint64_t wiped_ = 0;
};

} // namespace casemate::core
