// SPDX-License-Identifier: Apache-2.0
// The paravirtual clock of the KVM interface: the guest names a page of its memory, we write there how its TSC
// counts; no exit afterwards. Layout: Linux, Documentation/virt/kvm/x86/msr.rst.
// The wall clock is not provided (reads as 1970): a VM gets its time from the network.
#pragma once

#include "hypervisor/devices/io_bus.hpp"
#include "hypervisor/mm/guest_memory.hpp"

namespace casemate::devices {

class PvClock final : public MsrDevice {
public:
    static constexpr std::uint32_t msr_wall_clock = 0x4b564d00, msr_system_time = 0x4b564d01;

    /// `boot_tsc` is the TSC value at which the guest's clock reads zero.
    void reset(const mm::GuestMemory& memory, std::uint64_t tsc_khz, std::uint64_t boot_tsc);
    [[nodiscard]] bool register_msrs(IoBus& bus) { return bus.msrs.add(msr_wall_clock, 2, *this); }

    std::optional<std::uint64_t> read_msr(std::uint32_t index) override;
    bool write_msr(std::uint32_t index, std::uint64_t value) override;

private:
    mm::GuestMemory memory_;
    std::uint64_t tsc_khz_ = 1, boot_tsc_ = 0;
    std::uint64_t system_time_ = 0; // UNTRUSTED: address and enable bit
};

/// nanoseconds = (ticks << shift, or >> -shift) * multiplier >> 32.
struct TscScale {
    std::uint32_t multiplier;
    std::int8_t shift;
};
[[nodiscard]] TscScale calculate_tsc_scale(std::uint64_t tsc_khz);

} // namespace casemate::devices
