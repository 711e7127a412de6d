// SPDX-License-Identifier: Apache-2.0
// One virtual processor: its VMCB, registers, FPU image, local APIC, and the interrupts posted to it.
// Invariant: touched only by the core it is placed on, except post_interrupt(), which any core may call.
#pragma once

#include "hypervisor/arch/svm.hpp"
#include "hypervisor/core/vmcb.hpp"
#include "hypervisor/devices/local_apic.hpp"

#include <atomic>
#include <cstdint>
#include <optional>

namespace casemate::core {

class Cpu;
class Vm;

/// What a guest keeps in registers that neither VMRUN nor VMSAVE switches.
struct SwitchedState {
    std::uint64_t xcr0;
    std::uint64_t tsc_aux;
    std::uint64_t dr[4];
};

class Vcpu {
public:
    Vcpu(Vm& vm, Vmcb& vmcb, void* fpu_area) : vm_{vm}, vmcb_{vmcb}, fpu_area_{fpu_area} {}

    /// Power-on state for the 64-bit boot protocol; see core/vcpu_reset.cpp.
    void reset(std::uint64_t rip, std::uint64_t rsi, std::uint64_t cr3, std::uint64_t gdt_base);

    /// Makes `vector` (16..255) pending in the local APIC and wakes the VM. Any core.
    void post_interrupt(std::uint8_t vector);
    /// Delivered at the next entry, before anything else.
    void inject_exception(std::uint8_t vector, std::optional<std::uint32_t> error = std::nullopt);
    /// After a change of the nested page table that takes rights away.
    void request_tlb_flush() { flush_tlb_ = true; }
    void advance_rip(std::uint64_t next) {
        vmcb_.rip = next;
        vmcb_.interrupt_shadow = 0;
    }

    [[nodiscard]] Vm& vm() { return vm_; }
    [[nodiscard]] Vmcb& vmcb() { return vmcb_; }
    [[nodiscard]] arch::GuestRegisters& registers() { return registers_; }
    [[nodiscard]] devices::LocalApic& apic() { return apic_; }
    /// Register by its number in an instruction; 0 is RAX, 4 RSP, which live in the VMCB.
    [[nodiscard]] std::uint64_t& reg(unsigned number);

    void halt() { halted_ = true; }
    /// False while it sleeps in HLT with nothing to deliver.
    [[nodiscard]] bool runnable(std::uint64_t tsc);

    /// One VMRUN: inject what is due, run until an exit, account for what was delivered.
    void enter();

    void save_switched_state();
    void load_switched_state();

private:
    void absorb_posted();
    void prepare_interrupt();
    void settle_interrupt();
    void handle_sleep_in_shadow();

    Vm& vm_;
    Vmcb& vmcb_;
    void* fpu_area_;
    arch::GuestRegisters registers_{};
    SwitchedState switched_{};
    devices::LocalApic apic_;
    std::atomic<std::uint64_t> posted_[4]{};
    bool halted_ = false;
    bool flush_tlb_ = true;
};

} // namespace casemate::core
