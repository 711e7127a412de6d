// SPDX-License-Identifier: Apache-2.0
// One physical core: its VMs, its timer, whose turn it is.
// Invariant: the loop runs with interrupts off except in open windows, so everything here has one thread of control;
// other cores reach it only through atomics and the kick interrupt. While a direct VM's registers are loaded (docs/adr/0018) every
// interrupt of the core is that VM's, so no window is open, the core has no timer, and a kick is an NMI.
#pragma once

#include "hypervisor/arch/cpu_tables.hpp"
#include "hypervisor/core/core_caps.hpp"
#include "hypervisor/core/fair_share.hpp"
#include "hypervisor/core/vcpu.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace casemate::core {

class Machine;
class Vm;

/// Host vectors. Those of devices belong to the VMs of the core (VectorWindow); the hypervisor's own lie above.
namespace host_vector {
inline constexpr std::uint8_t window_first = 0x20, window_end = 0xE0;
inline constexpr std::uint8_t management_uart = 0xE0, pci_lines = 0xE1, pci_lines_end = 0xE9; // of the I/O APIC
inline constexpr std::uint8_t kick = 0xEE, timer = 0xEF, spurious = 0xFF;
} // namespace host_vector

class Cpu {
public:
    static constexpr std::size_t max_vms = FairShare::max_members;

    [[nodiscard]] static Cpu& current() { return *static_cast<Cpu*>(arch::current_core_object()); }
    /// XCR0 with everything on that this processor has and guests may use.
    [[nodiscard]] static std::uint64_t all_state_components();

    Cpu(Machine& machine, unsigned index, Vmcb& host_vmcb, HostPhys host_save_page)
        : machine_{machine}, index_{index}, host_vmcb_{host_vmcb}, host_save_page_{host_save_page} {}

    [[nodiscard]] unsigned index() const { return index_; }
    [[nodiscard]] std::uint8_t apic_id() const { return apic_id_; }

    /// On this core itself, once: descriptor tables, APIC, SVM. False if it cannot run guests.
    [[nodiscard]] bool prepare();

    // --- boot only
    void place(Vm& vm);
    /// Splits the device vectors among the driver VMs of this core; after the last place().
    void assign_vector_windows();

    /// Makes the core look at its VMs again. Any core.
    void kick();
    /// The same within a fraction of a millisecond, or as soon as its guest sleeps. On another core: at once.
    void review_soon();
    /// A link has more to do for a VM of this core. Any core.
    void call_link_service();
    /// An interrupt that this core itself passes to that VM, now or when it is put away. Any core.
    [[nodiscard]] bool takes_directly(const Vm& vm, std::uint8_t vector) const { return kick_by_nmi_.load() && routes_[vector].vm == &vm; }
    /// Boot core, each tick: a core without a timer looks at its VM ten times a second, more often while it has a chore or its links have work.
    void beat(std::uint64_t now_ms);
    /// Something for Machine::service() has happened on this core.
    void call_boot_core();
    /// The registers of this processor are not worth saving any more.
    void forget(const Vcpu& vcpu) {
        if (loaded_ == &vcpu) loaded_ = nullptr;
    }

    /// Its registers are all in the Vcpu after this.
    void put_away(Vcpu& vcpu);
    /// This core runs it until the next review: what is posted to it needs none. To be asked on any core.
    [[nodiscard]] bool has_turn(const Vcpu& vcpu) const { return this == &current() && turn_ == &vcpu; }

    [[noreturn, gnu::hot]] void run();
    void on_interrupt(std::uint8_t vector);

private:
    [[nodiscard]] bool turn_goes_on(std::uint64_t tsc) const;
    [[nodiscard]] std::uint64_t review();
    [[nodiscard]] Vm* find_chore() const;
    void do_chore();
    [[nodiscard]] Vcpu* pick(std::uint64_t tsc);
    [[nodiscard]] std::uint64_t next_review(std::uint64_t tsc) const;
    void run_turn(std::uint64_t tsc);
    void run_direct(std::uint64_t tsc);
    void enter(Vcpu& vcpu, std::uint64_t tsc);
    void sleep(std::uint64_t tsc);
    void load(Vcpu& vcpu);
    [[nodiscard]] bool is_direct() const { return loaded_ != nullptr && loaded_->direct(); }
    void arm_timer(std::uint64_t tsc, std::uint64_t deadline);

    struct Route {
        Vm* vm = nullptr;
        std::uint8_t vector = 0;
    };

    Machine& machine_;
    const unsigned index_;
    std::uint8_t apic_id_ = 0;
    Vmcb& host_vmcb_;         // VMSAVE state of the hypervisor
    HostPhys host_save_page_; // VM_HSAVE_PA
    arch::CpuTables tables_{};
    std::array<Vm*, max_vms> vms_{};
    std::size_t vm_count_ = 0;
    std::array<Route, 256> routes_{};
    Vm* management_vm_ = nullptr;
    bool hold_ = false;      // a device's interrupt came since the last entry
    bool uart_held_ = false; // its pin of the host's I/O APIC is masked
    Vcpu* loaded_ = nullptr; // whose FPU and debug registers this core holds
    FairShare share_; // by index in vms_, as the caps
    CoreCaps caps_;
    Vcpu* turn_ = nullptr;                    // who runs until the next review
    std::size_t turn_of_ = FairShare::nobody; // the same, by index in vms_
    std::uint64_t turn_ends_ = 0;             // by the TSC, at the latest
    std::uint64_t review_at_ = 0;             // by the TSC, if nothing happens before
    std::uint64_t next_chore_ = 0;
    std::uint64_t armed_ = 0; // deadline that the timer is set to; 0 = not set
    std::atomic<bool> again_{false}; // a review is due
    std::atomic<bool> kick_by_nmi_{false};
    std::uint64_t next_beat_ = 0; // boot core
};

} // namespace casemate::core
