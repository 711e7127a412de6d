// SPDX-License-Identifier: Apache-2.0
// One physical core: its VMs, its timer, its round robin.
// Invariant: the loop runs with interrupts off except in open windows, so everything here has one thread of control;
// other cores reach it only through atomics and the kick interrupt.
#pragma once

#include "hypervisor/arch/cpu_tables.hpp"
#include "hypervisor/core/vcpu.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace casemate::core {

class Machine;
class Vm;

/// Vectors of the hypervisor itself; guest device windows lie below.
namespace host_vector {
inline constexpr std::uint8_t window_first = 0x20, window_end = 0xE0; // devices of VMs
inline constexpr std::uint8_t management_uart = 0xE0, kick = 0xEE, timer = 0xEF, spurious = 0xFF;
} // namespace host_vector

class Cpu {
public:
    static constexpr std::size_t max_vms = 16;

    [[nodiscard]] static Cpu& current();

    Cpu(Machine& machine, unsigned index, std::uint8_t apic_id) : machine_{machine}, index_{index}, apic_id_{apic_id} {}

    [[nodiscard]] unsigned index() const { return index_; }
    [[nodiscard]] std::uint8_t apic_id() const { return apic_id_; }
    [[nodiscard]] bool is_boot_core() const { return index_ == 0; }

    void place(Vm& vm);
    /// Splits the device vectors of this core among its driver VMs; after the last place().
    void assign_vector_windows();
    /// Host vector -> VM and guest vector; boot only (the management UART uses it too).
    void route_vector(std::uint8_t host, Vm& vm, std::uint8_t guest);

    /// Makes the core look at its VMs again. Any core.
    void kick();
    /// The guest's FPU registers are saved and free for the hypervisor until the next entry. Call it before
    /// anything that may use SSE (BearSSL). Only on this core.
    void take_fpu();

    [[noreturn]] void run();

    // --- interrupt entry
    void on_interrupt(std::uint8_t vector);

private:
    bool service_vms();
    Vcpu* pick(std::uint64_t tsc);
    void enter(Vcpu& vcpu);
    void arm_timer(std::uint64_t tsc);
    [[nodiscard]] std::uint64_t next_deadline(std::uint64_t tsc) const;

    struct Route {
        Vm* vm;
        std::uint8_t vector;
    };

    Machine& machine_;
    const unsigned index_;
    const std::uint8_t apic_id_;
    std::array<Vm*, max_vms> vms_{};
    std::size_t vm_count_ = 0;
    std::array<Route, 256> routes_{};
    Vcpu* fpu_owner_ = nullptr;
    std::size_t last_picked_ = 0;
    std::size_t runnable_ = 0;
    std::uint64_t slice_end_ = 0;
    std::uint64_t armed_deadline_ = 0;
    std::uint64_t next_tick_ = 0;
    std::atomic<bool> asleep_{false};
};

} // namespace casemate::core
