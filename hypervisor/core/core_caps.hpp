// SPDX-License-Identifier: Apache-2.0
// How much of a core each of its VMs may have at most, even if nobody else wants it: a percentage of every period. Who has used it up
// waits for the next one. Units: ticks of any clock.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace casemate::core {

class CoreCaps {
public:
    static constexpr std::size_t max_members = 16;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    /// 100: no cap.
    void set(std::size_t member, std::uint32_t percent) { percent_[member] = percent; }

    /// Of `can_run` (bit i for member i) those that may.
    [[nodiscard]] std::uint32_t admit(std::uint32_t can_run, std::uint64_t now, std::uint64_t period) {
        if (now >= end_) {
            end_ = now + period;
            period_ = period;
            used_.fill(0);
        }
        held_ = 0;
        for (std::size_t i = 0; i < max_members; ++i)
            if (percent_[i] < 100 && used_[i] >= allowance(i)) held_ |= can_run & 1u << i;
        return can_run & ~held_;
    }
    /// When to look again if `member` runs on and nothing else changes; for nobody, max_members.
    [[nodiscard]] std::uint64_t deadline(std::size_t member, std::uint64_t now) const {
        const std::uint64_t next_period = held_ != 0 ? end_ : never;
        const bool capped = member < max_members && percent_[member] < 100;
        return capped ? std::min(next_period, now + allowance(member) - used_[member]) : next_period;
    }
    void charge(std::size_t member, std::uint64_t ticks) { used_[member] += ticks; }

private:
    [[nodiscard]] std::uint64_t allowance(std::size_t member) const { return period_ * percent_[member] / 100; }

    std::array<std::uint32_t, max_members> percent_ = [] {
        std::array<std::uint32_t, max_members> all;
        all.fill(100);
        return all;
    }();
    std::array<std::uint64_t, max_members> used_{}; // in this period
    std::uint64_t period_ = 0, end_ = 0;
    std::uint32_t held_ = 0; // could run and may not, when admit() was asked last
};

} // namespace casemate::core
