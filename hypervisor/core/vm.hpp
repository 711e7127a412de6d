// SPDX-License-Identifier: Apache-2.0
// A virtual machine: its memory, nested page table, permission maps, virtual devices and processor.
//
//             boot --> WIPING --> LOADING --> READY --start()--> RUNNING --stop() or the guest itself--> PARKED
//                        ^           |           ^                | ^ for a snapshot                        | |
//                        |           |           |             SAVING                                      | |
//                        |           |           '-- RESTORING <--- boot core, after on_vm_stopped(): warm --' |
//                        |           '--> UNUSABLE: its images do not fit; start() parks it                  |
//                        '------------------ boot core, after on_vm_stopped(): cold -------------------------'
//
// Invariant: memory is zero before an image is loaded into it, and all of it as it was before a snapshot goes on; a VM that is not RUNNING executes nothing; its memory
// is wiped only after MachineHooks::on_vm_stopped() has returned, so no device can still reach it; its ends of links are
// reset before it is PARKED.
// start() and stop() may be called on any core and return at once; the VM's own core acts on them.
#pragma once

#include "hypervisor/core/exit_counters.hpp"
#include "hypervisor/core/line_budget.hpp"
#include "hypervisor/core/snapshot.hpp"
#include "hypervisor/core/stop_reason.hpp"
#include "hypervisor/core/vcpu.hpp"
#include "hypervisor/devices/io_bus.hpp"
#include "hypervisor/devices/platform.hpp"
#include "hypervisor/mm/guest_memory.hpp"
#include "hypervisor/mm/nested_page_table.hpp"
#include "hypervisor/mm/permission_maps.hpp"
#include "hypervisor/mm/tcb_memory.hpp"
#include "hypervisor/vlink/end.hpp"

#include <atomic>
#include <string_view>

namespace casemate::core {

class Cpu;
class Machine;

enum class VmRole : std::uint8_t { agent = 0, driver = 1, client = 2 };
enum class VmState : std::uint8_t { wiping, loading, ready, running, parked, unusable, saving, restoring };

/// From the policy, which outlives it.
struct VmDefinition {
    std::string_view name;
    VmRole role = VmRole::driver;
    ByteView kernel; // UNTRUSTED contents, measured by custody
    ByteView initrd;
    std::string_view command_line;
    std::uint64_t memory_bytes = 0;
    unsigned core = 0;
    bool dedicated = false;
    std::uint32_t weight = 100;      // FairShare
    std::uint32_t cap_percent = 100; // CoreCaps
};

/// The device interrupt vectors of this VM on its core: the remapping entry for guest vector v sends host vector
/// host_first + (v - guest_first) to the core's APIC, for v in guest_first .. + count; every other entry stays closed.
struct VectorWindow {
    std::uint8_t guest_first = 0;
    std::uint8_t count = 0;
    std::uint8_t host_first = 0;
};

/// What Machine::add_vm() allocates for a VM, all zeroed but for the permission maps.
struct VmResources {
    HostRange ram;     // guest-physical 0 .. size
    HostRange windows; // behind it, for allocate_window()
    Vmcb* vmcb = nullptr;
    std::uint8_t* fpu_area = nullptr;
    mm::IoPermissionMap* io_map = nullptr;
    const mm::MsrPermissionMap* msr_map = nullptr;
    const mm::MsrPermissionMap* direct_msr_map = nullptr;
    Snapshot* snapshot = nullptr; // if it may have one
};

class Vm final : public devices::PlatformHost, public vlink::EndHost {
public:
    using PageTable = mm::NestedPageTable<mm::TcbMemory>;

    Vm(std::size_t index, const VmDefinition& definition, Cpu& core, const PageTable& table,
       const VmResources& resources);

    [[nodiscard]] std::size_t index() const { return index_; }
    [[nodiscard]] std::string_view name() const { return definition_.name; }
    [[nodiscard]] const VmDefinition& definition() const { return definition_; }
    // ORDER: acquire, with the release in set_state(): who sees a state sees everything done before it.
    [[nodiscard]] VmState state() const { return state_.load(std::memory_order_acquire); }
    /// Started and not stopped, though its processor may stand still for a snapshot.
    [[nodiscard]] bool lives() const { return state() == VmState::running || state() == VmState::saving; }
    /// Null until it is taken.
    [[nodiscard]] const Snapshot* snapshot() const;
    [[nodiscard]] std::uint32_t starts() const { return starts_; }
    [[nodiscard]] StopCause stop_cause() const { return cause_; }
    [[nodiscard]] StopReason stop_reason() const { return reason_; }
    [[nodiscard]] ExitCounters& exits() { return exits_; }
    /// Of its core, by the TSC, with the handling of its exits; of this launch.
    [[nodiscard]] std::uint64_t time_used() const { return time_used_.load(std::memory_order_relaxed); }
    /// Its own core.
    void use_time(std::uint64_t ticks) { time_used_.store(time_used() + ticks, std::memory_order_relaxed); }

    void start();
    /// Followed by on_vm_stopped() if the VM runs or was told to start; else nothing happens.
    void stop(StopCause cause);
    /// The guest ended itself or broke a rule; only on its own core, from an exit handler or virtual device.
    void end(StopCause cause, StopReason reason);

    [[nodiscard]] const mm::GuestMemory& memory() const { return memory_; }
    /// After taking rights away: vcpu().request_tlb_flush(), or do it while the VM does not run.
    [[nodiscard]] PageTable& page_table() { return page_table_; }
    /// Pages of this VM outside its RAM, for PageTable::map_window(); wiped with the VM. Boot only.
    [[nodiscard]] std::optional<HostRange> allocate_window(std::uint64_t bytes);
    /// Ports that the guest may use without an exit.
    [[nodiscard]] mm::IoPermissionMap& ports() { return *resources_.io_map; }
    [[nodiscard]] devices::IoBus& bus() { return bus_; }
    [[nodiscard]] devices::PciBus& pci() { return platform_.pci; }
    [[nodiscard]] devices::Platform& platform() { return platform_; }
    /// How many ends of links it has. Boot only: another.
    [[nodiscard]] unsigned link_count() const { return link_count_; }
    [[nodiscard]] bool add_link(vlink::End& end);
    [[nodiscard]] Vcpu& vcpu() { return vcpu_; }
    [[nodiscard]] Cpu& core() { return core_; }
    [[nodiscard]] const VectorWindow& vectors() const { return vectors_; }
    void set_vectors(const VectorWindow& window) { vectors_ = window; }

    // --- called by Machine, by its core and by the boot core only
    /// Obeys start() and stop(). Its own core.
    void service();
    /// It runs, is not asleep, and nothing waits for service() after each of its exits.
    [[nodiscard]] bool goes_on() const { return state() == VmState::running && lines_ == 0 && !vcpu_.halted(); }
    /// Wiping, loading and all about snapshots take long: one step each call. Its own core.
    [[nodiscard]] bool has_chore() const;
    void do_chore();
    /// A link has more to do for it than one call may.
    [[nodiscard]] bool has_link_work() const;
    /// A part of service(). Its own core.
    void service_links();
    /// A device of this VM drives that pin of its I/O APIC: an interrupt, and PciBus::end_interrupt() when the guest has ended it.
    /// Any core.
    void raise_line(unsigned pin);
    /// The guest has opened that pin, and no interrupt of it is pending or in service. Its own core.
    [[nodiscard]] bool has_ended(unsigned pin);
    /// PARKED -> WIPING, or RESTORING if `warm`: there must be a snapshot. Boot core, after on_vm_stopped().
    void devices_released(bool warm);

    // --- devices::PlatformHost, vlink::EndHost
    void call_service() override;
    void call_service_soon() override;
    void post_interrupt(std::uint8_t vector) override { vcpu_.post_interrupt(vector); }
    void console_line(std::string_view line) override;
    void power(devices::PowerRequest request) override;
    void ask_snapshot() override;

private:
    void set_state(VmState state) { state_.store(state, std::memory_order_release); }
    [[nodiscard]] bool register_devices();
    [[nodiscard]] HostRange all_memory() const;
    void obey_stop();
    void service_lines();
    void park(StopCause cause, StopReason reason);
    void log_exits() const;
    void begin_snapshot();
    void step_snapshot();
    [[nodiscard]] bool is_being_taken() const;
    bool wipe_step();
    [[nodiscard]] bool load();
    [[nodiscard]] bool may_be_direct() const;
    void launch();

    const std::size_t index_;
    const VmDefinition definition_;
    Cpu& core_;
    PageTable page_table_;
    const VmResources resources_;
    std::uint64_t windows_used_ = 0;
    mm::GuestMemory memory_;
    devices::IoBus bus_{};
    devices::Platform platform_;
    Vcpu vcpu_;
    VectorWindow vectors_{};
    std::array<vlink::End*, vlink::End::max_slots> links_{};
    unsigned link_count_ = 0;
    ExitCounters exits_{};
    std::atomic<std::uint64_t> time_used_{0};
    LineBudget console_budget_;

    std::atomic<std::uint32_t> raised_{0}; // a bit a pin, until its core has seen it
    std::uint32_t lines_ = 0;              // until the guest has ended their interrupts

    std::atomic<VmState> state_{VmState::wiping};
    std::atomic<bool> start_requested_{false};
    std::atomic<StopCause> stop_requested_{StopCause::none};
    StopCause cause_ = StopCause::none;
    StopReason reason_ = StopReason::none;
    std::uint32_t starts_ = 0;
    std::uint64_t wiped_ = 0;
    BootEntry entry_{};
    bool snapshot_wanted_ = false; // its own core
    bool warm_ = false;            // READY with a snapshot put back
};

} // namespace casemate::core
