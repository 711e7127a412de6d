// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/local_apic.hpp"

#include <bit>

namespace casemate::devices {
namespace {

// x2APIC register numbers: MSR 800h + n [SDM3 Table 10-6].
constexpr std::uint32_t reg_id = 0x02, reg_version = 0x03, reg_tpr = 0x08, reg_ppr = 0x0A, reg_eoi = 0x0B,
                        reg_ldr = 0x0D, reg_svr = 0x0F, reg_isr = 0x10, reg_tmr = 0x18, reg_irr = 0x20,
                        reg_esr = 0x28, reg_icr = 0x30, reg_lvt_timer = 0x32, reg_lvt_last = 0x37,
                        reg_initial_count = 0x38, reg_current_count = 0x39, reg_divide = 0x3E,
                        reg_self_ipi = 0x3F;
constexpr std::uint32_t version = 0x14 | 5 << 16; // integrated, last LVT entry is number 5
constexpr std::uint64_t apic_base =
    0xFEE00000 | 1 << 11 | 1 << 10 | 1 << 8; // enabled, x2APIC, boot processor
constexpr std::uint32_t lvt_masked = 1 << 16, lvt_mode_mask = 3 << 17, lvt_mode_deadline = 2 << 17;
constexpr std::uint64_t icr_delivery_mask = 7 << 8;
constexpr unsigned icr_shorthand_shift = 18, shorthand_none = 0, shorthand_others = 3;
constexpr std::uint64_t icr_broadcast = 0xffffffff;

constexpr std::uint8_t priority_class(std::uint8_t vector) { return vector >> 4; }

} // namespace

std::optional<std::uint8_t> VectorSet::highest() const {
    for (std::size_t i = count_ == 0 ? 0 : words_.size(); i-- > 0;)
        if (words_[i] != 0)
            return static_cast<std::uint8_t>(32 * i + 31 -
                                             static_cast<unsigned>(std::countl_zero(words_[i])));
    return std::nullopt;
}

void LocalApic::reset(const mm::GuestMemory& memory, const IoApic& io_apic, Mode mode) {
    *this = LocalApic{};
    mode_ = mode;
    memory_ = memory;
    io_apic_ = &io_apic;
    local_vectors_.fill(lvt_masked);
}

bool LocalApic::register_msrs(IoBus& bus) {
    return bus.msrs.add(msr_apic_base, 1, *this) && bus.msrs.add(msr_tsc_deadline, 1, *this) &&
           bus.msrs.add(msr_first, msr_count, *this) && bus.msrs.add(msr_pv_eoi, 1, *this);
}

std::optional<std::uint8_t> LocalApic::take_pending() {
    const auto vector = pending_.highest();
    if (vector) pending_.clear(*vector);
    return vector;
}

std::optional<std::uint8_t> LocalApic::deliverable() const {
    const auto vector = pending_.highest();
    if (!vector || priority_class(*vector) <= priority_class(task_priority_)) return std::nullopt;
    const auto serving = in_service_.highest();
    if (serving && priority_class(*vector) <= priority_class(*serving)) return std::nullopt;
    return vector;
}

void LocalApic::accept(std::uint8_t vector) {
    pending_.clear(vector);
    in_service_.set(vector);
}

void LocalApic::end_of_interrupt() {
    if (const auto vector = in_service_.highest()) in_service_.clear(*vector);
}

void LocalApic::expire(std::uint64_t tsc) {
    if (deadline_ == 0 || tsc < deadline_) return;
    deadline_ = 0;
    const std::uint32_t entry = local_vectors_[0];
    const auto vector = static_cast<std::uint8_t>(entry);
    if ((entry & lvt_masked) == 0) set_pending(vector);
}

/// For the one interrupt that is in service or is about to be; with two, the guest's first end would be the second's. Not for
/// a level-triggered one: its line waits for the end.
void LocalApic::offer_pv_eoi(std::optional<std::uint8_t> next) {
    if ((pv_eoi_ & 1) == 0 || in_service_.count() + (next ? 1 : 0) != 1) return;
    if (is_level(next ? *next : *in_service_.highest())) return;
    pv_eoi_offered_ = memory_.write<std::uint8_t>(GuestPhys{pv_eoi_ & ~3ull}, 1);
}

LocalApic::Offer LocalApic::offer() {
    const auto next = deliverable();
    offer_pv_eoi(next);
    return {next, pv_eoi_offered_ && pending_.count() > (next ? 1u : 0u)};
}

void LocalApic::collect_pv_eoi() {
    if (!pv_eoi_offered_) return;
    pv_eoi_offered_ = false;
    const GuestPhys flag{pv_eoi_ & ~3ull};
    if (memory_.read<std::uint8_t>(flag).value_or(1) == 0) return end_of_interrupt();
    (void)memory_.write<std::uint8_t>(flag, 0);
}

void LocalApic::shift_time(std::uint64_t offset) {
    tsc_offset_ = offset;
    if (deadline_ != 0) deadline_ -= offset;
}

bool LocalApic::write_pv_eoi(std::uint64_t value) {
    const bool fits = !memory_.bytes(GuestPhys{value & ~3ull}, 4).empty();
    if ((value & 2) != 0 || ((value & 1) != 0 && !fits)) return false;
    pv_eoi_ = value;
    return true;
}

std::optional<std::uint64_t> LocalApic::read_msr(std::uint32_t index) {
    if (direct() && (index == msr_tsc_deadline || index == msr_pv_eoi)) return std::nullopt;
    switch (index) {
    case msr_apic_base: return apic_base;
    case msr_tsc_deadline: return deadline_ == 0 ? 0 : deadline_ + tsc_offset_;
    case msr_pv_eoi: return pv_eoi_;
    default: return read_register(index - msr_first);
    }
}

std::optional<std::uint64_t> LocalApic::read_register(std::uint32_t number) const {
    if (number >= reg_isr && number < reg_tmr) return in_service_.word(number - reg_isr);
    if (number >= reg_tmr && number < reg_irr) return io_apic_->level_vectors(number - reg_tmr);
    if (number >= reg_irr && number < reg_esr) return pending_.word(number - reg_irr);
    if (number >= reg_lvt_timer && number <= reg_lvt_last) return local_vectors_[number - reg_lvt_timer];
    switch (number) {
    case reg_version: return version;
    case reg_tpr: return task_priority_;
    case reg_ppr: return std::max<std::uint8_t>(task_priority_, in_service_.highest().value_or(0) & 0xf0);
    case reg_ldr: return 1; // cluster 0, first member
    case reg_svr: return spurious_;
    case reg_divide: return divide_;
    case reg_id:
    case reg_esr:
    case reg_icr:
    case reg_initial_count:
    case reg_current_count: return 0;
    default: return std::nullopt;
    }
}

bool LocalApic::write_msr(std::uint32_t index, std::uint64_t value) {
    const bool deadline = index == msr_tsc_deadline || (index == msr_timer_entry && (value & lvt_mode_deadline) != 0);
    const bool exception = index == msr_timer_entry && (value & lvt_masked) == 0 && !may_have(static_cast<std::uint8_t>(value));
    if (direct() && (deadline || exception || index == msr_pv_eoi)) return false;
    switch (index) {
    case msr_apic_base: return value == apic_base;
    case msr_tsc_deadline:
        deadline_ = value != 0 && (local_vectors_[0] & lvt_mode_mask) == lvt_mode_deadline ? value - tsc_offset_ : 0;
        return true;
    case msr_pv_eoi: return write_pv_eoi(value);
    default: return write_register(index - msr_first, value);
    }
}

bool LocalApic::write_register(std::uint32_t number, std::uint64_t value) {
    if (number != reg_icr && value >> 32 != 0) return false;
    const auto word = static_cast<std::uint32_t>(value);
    if (number >= reg_lvt_timer && number <= reg_lvt_last) {
        local_vectors_[number - reg_lvt_timer] = word;
        return true;
    }
    switch (number) {
    case reg_tpr: task_priority_ = static_cast<std::uint8_t>(word); return true;
    case reg_eoi: end_of_interrupt(); return true;
    case reg_svr: spurious_ = word; return true;
    case reg_divide: divide_ = word; return true;
    case reg_icr: return send_command(value);
    case reg_self_ipi:
        set_pending(static_cast<std::uint8_t>(word));
        return true;
    case reg_esr:
    case reg_initial_count: return true; // the timer has deadline mode only
    default: return false;
    }
}

/// Fixed interrupts to this processor arrive; every other kind and every other target is nobody.
bool LocalApic::send_command(std::uint64_t command) {
    const auto vector = static_cast<std::uint8_t>(command);
    const unsigned shorthand = command >> icr_shorthand_shift & 3;
    const std::uint64_t target = command >> 32;
    const bool logical = (command >> 11 & 1) != 0;
    const bool addressed = target == icr_broadcast || (logical ? target == 1 : target == 0);
    const bool to_self = shorthand == shorthand_none ? addressed : shorthand != shorthand_others;
    if ((command & icr_delivery_mask) == 0 && to_self) set_pending(vector);
    return true;
}

} // namespace casemate::devices
