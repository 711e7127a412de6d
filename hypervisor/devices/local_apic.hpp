// SPDX-License-Identifier: Apache-2.0
// A virtual local APIC in x2APIC mode (MSRs 800h..83Fh) with a TSC-deadline timer [SDM3 10.12, 10.5.4.1] and the
// paravirtual end-of-interrupt of the KVM interface (MSR 4b564d04h): a flag in guest memory that says "no exit needed".
// Invariant: one processor in the VM, so an interrupt command reaches itself or nobody. Only its own core calls it.
// Direct: its guest uses the processor's own APIC (docs/adr/0018) and reaches this one only for what it may not write there itself: the
// command register, interrupts to itself and the local vectors. It has neither TSC deadline nor paravirtual end of interrupt.
#pragma once

#include "hypervisor/devices/io_apic.hpp"
#include "hypervisor/devices/io_bus.hpp"
#include "hypervisor/mm/guest_memory.hpp"

#include <array>

namespace casemate::devices {

/// 256 interrupt vectors, as the APIC's 32-bit registers show them.
class VectorSet {
public:
    void set(std::uint8_t vector) {
        count_ += has(vector) ? 0 : 1;
        words_[vector / 32] |= 1u << (vector % 32);
    }
    void clear(std::uint8_t vector) {
        count_ -= has(vector) ? 1 : 0;
        words_[vector / 32] &= ~(1u << (vector % 32));
    }
    [[nodiscard]] bool has(std::uint8_t vector) const { return (words_[vector / 32] >> vector % 32 & 1) != 0; }
    [[nodiscard]] std::uint32_t word(std::size_t index) const { return words_[index]; }
    [[nodiscard]] std::optional<std::uint8_t> highest() const;
    [[nodiscard]] unsigned count() const { return count_; }

private:
    std::array<std::uint32_t, 8> words_{};
    unsigned count_ = 0;
};

class LocalApic final : public MsrDevice {
public:
    static constexpr std::uint32_t msr_apic_base = 0x1B, msr_tsc_deadline = 0x6E0, msr_first = 0x800,
                                   msr_count = 0x100, msr_timer_entry = 0x832, msr_pv_eoi = 0x4b564d04;
    enum class Mode : bool { emulated, direct };
    /// What an APIC takes; and what it may hold of a direct VM, which the hypervisor takes over when the VM leaves the core: no exceptions' numbers.
    static constexpr std::uint8_t first_vector = 16, first_direct_vector = 32;

    /// `io_apic`, which lives as long, knows which vectors are level-triggered.
    void reset(const mm::GuestMemory& memory, const IoApic& io_apic, Mode mode = Mode::emulated);
    [[nodiscard]] bool direct() const { return mode_ == Mode::direct; }
    [[nodiscard]] bool register_msrs(IoBus& bus);

    /// Nothing for a vector that it may not have.
    void set_pending(std::uint8_t vector) {
        if (may_have(vector)) pending_.set(vector);
    }
    /// The highest that is pending, which is not any more: for the processor's own APIC.
    [[nodiscard]] std::optional<std::uint8_t> take_pending();
    /// The pending vector that may interrupt now: its class is above the task priority and what is in service.
    [[nodiscard, gnu::hot]] std::optional<std::uint8_t> deliverable() const;
    /// The processor took `vector`.
    void accept(std::uint8_t vector);
    [[gnu::hot]] void end_of_interrupt();
    /// Pending or in service.
    [[nodiscard]] bool in_progress(std::uint8_t vector) const { return pending_.has(vector) || in_service_.has(vector); }

    /// Bits 7:4 are what V_TPR holds while the guest runs.
    [[nodiscard]] std::uint8_t task_priority() const { return task_priority_; }
    void set_task_priority(std::uint8_t value) { task_priority_ = value; }

    /// From now on the guest's TSC is the host's plus `offset`; it was the host's. Its timer fires when it would have.
    void shift_time(std::uint64_t offset);
    /// The host's TSC value at which the timer fires; 0 when it is off.
    [[nodiscard]] std::uint64_t deadline() const { return deadline_; }
    /// Makes the timer interrupt pending if it is due.
    void expire(std::uint64_t tsc);

    struct Offer {
        std::optional<std::uint8_t> vector; // deliverable()
        bool another_waits = false; // behind one that may end without an exit: until whatever exit comes next
    };
    /// Before each entry and after each exit: what may interrupt, with the exit-less end of interrupt; collects that.
    [[nodiscard]] Offer offer();
    void collect_pv_eoi();

    std::optional<std::uint64_t> read_msr(std::uint32_t index) override;
    bool write_msr(std::uint32_t index, std::uint64_t value) override;

private:
    [[nodiscard]] std::optional<std::uint64_t> read_register(std::uint32_t number) const;
    bool write_register(std::uint32_t number, std::uint64_t value);
    bool send_command(std::uint64_t command);
    [[nodiscard]] bool may_have(std::uint8_t vector) const { return vector >= (direct() ? first_direct_vector : first_vector); }
    bool write_pv_eoi(std::uint64_t value);
    void offer_pv_eoi(std::optional<std::uint8_t> next);
    [[nodiscard]] bool is_level(std::uint8_t vector) const { return (io_apic_->level_vectors(vector / 32) >> vector % 32 & 1) != 0; }

    mm::GuestMemory memory_;
    const IoApic* io_apic_ = nullptr;
    Mode mode_ = Mode::emulated;
    VectorSet pending_;    // IRR
    VectorSet in_service_; // ISR
    std::array<std::uint32_t, 6> local_vectors_{};
    std::uint32_t spurious_ = 0xff;
    std::uint32_t divide_ = 0;
    std::uint64_t deadline_ = 0;   // by the host's TSC
    std::uint64_t tsc_offset_ = 0; // what the guest's is ahead by
    std::uint64_t pv_eoi_ = 0; // address and enable bit; UNTRUSTED
    std::uint8_t task_priority_ = 0;
    bool pv_eoi_offered_ = false;
};

} // namespace casemate::devices
