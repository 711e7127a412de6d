// SPDX-License-Identifier: Apache-2.0
// One virtual processor: its VMCB, registers, FPU image, local APIC, and the interrupts posted to it.
// Invariant: touched only by the core it is placed on, except post_interrupt(), which any core may call.
//
// Interrupts: post_interrupt() -> posted_ (any core) -> APIC pending (at the core's next review; at once if it has the
// turn) -> V_IRQ at entry -> taken by the guest -> APIC in service at the next exit. V_IRQ waits in the processor until
// the guest can take it: no window exits. A direct VM's processor (docs/adr/0018) takes its devices' interrupts and its timer's by itself,
// from the core's own APIC; what is posted goes there at the next entry.
#pragma once

#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/svm.hpp"
#include "hypervisor/core/boot_protocol.hpp"
#include "hypervisor/core/vmcb.hpp"
#include "hypervisor/devices/local_apic.hpp"

#include <atomic>
#include <cstdint>
#include <optional>

namespace casemate::core {

class Vm;

/// What a guest keeps in registers that neither VMRUN nor VMSAVE switches.
struct SwitchedState {
    std::uint64_t xcr0;
    std::uint64_t tsc_aux;
    std::uint64_t dr[4];
    std::uint64_t task_priority; // this and the timer: in the core's own APIC, of a direct VM
    arch::ApicTimer timer;
};

/// A processor that stands between two instructions and has nothing posted.
struct VcpuImage {
    Vmcb vmcb;
    arch::GuestRegisters registers;
    SwitchedState switched;
    std::array<std::uint8_t, 4096> fpu;
    devices::LocalApic apic;
    std::uint64_t tsc; // when it was made
};

/// Physical addresses that a VMCB needs.
struct VcpuTables {
    std::uint64_t io_map;
    std::uint64_t msr_map;
    std::uint64_t page_table;
    std::uint32_t asid;
    devices::LocalApic::Mode apic;
};

class Vcpu {
public:
    static constexpr std::size_t fpu_area_size = sizeof VcpuImage::fpu;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    Vcpu(Vm& vm, Vmcb& vmcb, std::uint8_t* fpu_area) : vm_{vm}, vmcb_{vmcb}, fpu_area_{fpu_area} {}

    /// State at the 64-bit boot protocol's entry; nothing pending.
    void reset(const BootEntry& entry, const VcpuTables& tables, const mm::GuestMemory& memory);

    /// While it is not loaded on the core.
    void save(VcpuImage& image) const;
    /// The guest's TSC is the host's plus `tsc_offset` from now on.
    void restore(const VcpuImage& image, std::uint64_t tsc_offset);

    void post_interrupt(std::uint8_t vector);
    /// Posted, pending or in service.
    [[nodiscard]] bool in_progress(std::uint8_t vector) const {
        return (posted_[vector / 64] >> vector % 64 & 1) != 0 || apic_.in_progress(vector);
    }
    /// Delivered at the next entry, before any interrupt.
    void inject_exception(std::uint8_t vector, std::optional<std::uint32_t> error = std::nullopt);
    /// After a change of the nested page table that takes rights away.
    void request_tlb_flush() { flush_tlb_ = true; }
    void set_rip(std::uint64_t next) {
        vmcb_.rip = next;
        vmcb_.interrupt_shadow = 0;
    }
    void skip_instruction(unsigned length) { set_rip(vmcb_.rip + length); }

    /// The core's own APIC is its while it is loaded, and interrupts of that core are its own.
    [[nodiscard]] bool direct() const { return apic_.direct(); }

    [[nodiscard]] Vm& vm() { return vm_; }
    [[nodiscard]] Vmcb& vmcb() { return vmcb_; }
    [[nodiscard]] devices::LocalApic& apic() { return apic_; }
    /// By its number in an instruction.
    [[nodiscard]] std::uint64_t& reg(unsigned number);

    void halt() { halted_ = true; }
    [[nodiscard]] bool halted() const { return halted_; }
    /// Takes in what was posted. False while it sleeps in HLT with nothing to deliver.
    [[nodiscard]] bool runnable(std::uint64_t tsc);

    /// Offers what is due. Says when it wants the guest to have left again: its next timer, or an interrupt that waits for
    /// an exit. Both bear some delay, in which another exit most often comes by itself.
    [[nodiscard]] std::uint64_t prepare(std::uint64_t tsc, std::uint64_t patience);
    /// After prepare(): runs the guest until an exit, accounts for what was delivered.
    void enter(std::uint64_t host_vmcb);

    void save_switched_state();
    void load_switched_state();

private:
    void reset_controls(const VcpuTables& tables);
    void reset_registers(const BootEntry& entry);
    void reset_fpu();
    void forget_events();
    void absorb_posted();
    [[nodiscard]] bool offer_interrupt();
    void settle_interrupt();
    [[nodiscard]] bool at_hlt();

    Vm& vm_;
    Vmcb& vmcb_;
    std::uint8_t* fpu_area_;
    arch::GuestRegisters registers_{};
    SwitchedState switched_{};
    devices::LocalApic apic_;
    std::array<std::atomic<std::uint64_t>, 4> posted_{};
    bool halted_ = false;
    bool flush_tlb_ = true;
};

} // namespace casemate::core
