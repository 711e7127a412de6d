// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/pvclock.hpp"

namespace casemate::devices {
namespace {

struct PvClockVcpuTimeInfo { // struct pvclock_vcpu_time_info
    std::uint32_t version;
    std::uint32_t pad0;
    std::uint64_t tsc_timestamp;
    std::uint64_t system_time;
    std::uint32_t tsc_to_system_mul;
    std::int8_t tsc_shift;
    std::uint8_t flags;
    std::uint8_t pad[2];
};
static_assert(sizeof(PvClockVcpuTimeInfo) == 32);

struct PvClockWallClock { // struct pvclock_wall_clock
    std::uint32_t version, sec, nsec;
};

constexpr std::uint8_t flag_tsc_stable = 1;
constexpr std::uint64_t enable = 1;

} // namespace

TscScale calculate_tsc_scale(std::uint64_t tsc_khz) {
    // multiplier = 10^6 * 2^32 / khz must fit 32 bits: halve the ticks' weight until it does.
    std::int8_t shift = 0;
    for (; tsc_khz <= 1'000'000; tsc_khz *= 2) ++shift;
    return {static_cast<std::uint32_t>((1'000'000ull << 32) / tsc_khz), shift};
}

void PvClock::reset(const mm::GuestMemory& memory, std::uint64_t tsc_khz, std::uint64_t boot_tsc) {
    memory_ = memory;
    tsc_khz_ = tsc_khz;
    boot_tsc_ = boot_tsc;
    system_time_ = 0;
}

std::optional<std::uint64_t> PvClock::read_msr(std::uint32_t index) {
    return index == msr_system_time ? system_time_ : 0;
}

bool PvClock::write_msr(std::uint32_t index, std::uint64_t value) {
    if (index == msr_wall_clock) return memory_.write(GuestPhys{value}, PvClockWallClock{2, 0, 0});
    system_time_ = value;
    if ((value & enable) == 0) return true;
    const TscScale scale = calculate_tsc_scale(tsc_khz_);
    const PvClockVcpuTimeInfo info{2, 0, boot_tsc_, 0, scale.multiplier, scale.shift, flag_tsc_stable, {}};
    return memory_.write(GuestPhys{value & ~enable}, info);
}

} // namespace casemate::devices
