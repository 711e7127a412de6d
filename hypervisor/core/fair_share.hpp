// SPDX-License-Identifier: Apache-2.0
// Which of a core's VMs runs next: the one that has had least of the core for its weight. One that slept comes back with a credit of one
// slice and no more: it runs soon, yet saved-up time never keeps the others waiting. Sleeping earns nothing by itself, so a
// VM that sleeps and wakes all the time has its share and not more. Units: ticks of any clock, and what a VM has had as if it had
// the usual weight.
//
//   had less  ◄───── credit: one slice ─────► floor_ ◄─ half a slice: the lead at which a turn ends ─►  had more
//             one that wakes starts here at least    the least of those that compete
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace casemate::core {

class FairShare {
public:
    static constexpr std::size_t max_members = 16, nobody = max_members;
    static constexpr std::uint32_t usual_weight = 100;

    struct Turn {
        std::size_t who = nobody;
        std::uint64_t ticks = 0; // it may run so long while nothing changes; 0: nobody else can run
    };

    /// Of two that always want the core, one with twice the weight has twice as much. Not 0.
    void set_weight(std::size_t member, std::uint32_t weight) { weight_[member] = weight; }

    /// `can_run`: bit i for member i. To be asked again whenever that may have changed: who wakes may come first.
    [[nodiscard]] Turn next(std::uint32_t can_run, std::uint64_t slice) {
        if (could_run_ != 0) floor_ = std::max(floor_, had_[least_of(could_run_)]);
        for (std::uint32_t woken = can_run & ~could_run_; woken != 0; woken &= woken - 1) {
            std::uint64_t& had = had_[static_cast<std::size_t>(std::countr_zero(woken))];
            had = std::max(had, floor_ - std::min(floor_, slice));
        }
        could_run_ = can_run;
        if (can_run == 0) return {};
        const std::size_t least = least_of(can_run);
        if ((can_run >> current_ & 1) == 0 || had_[current_] >= had_[least] + slice / 2) current_ = least;
        const std::uint32_t rivals = can_run & ~(1u << current_);
        if (rivals == 0) return {current_, 0};
        const std::uint64_t lead = had_[least_of(rivals)] + slice / 2 - had_[current_];
        return {current_, std::max(lead * weight_[current_] / usual_weight, slice / 16)};
    }
    /// What the last one chosen has used.
    void charge(std::uint64_t ticks) { had_[current_] += ticks * usual_weight / weight_[current_]; }

private:
    [[nodiscard]] std::size_t least_of(std::uint32_t members) const {
        std::size_t least = static_cast<std::size_t>(std::countr_zero(members));
        for (; members != 0; members &= members - 1)
            if (const auto i = static_cast<std::size_t>(std::countr_zero(members)); had_[i] < had_[least])
                least = i;
        return least;
    }

    std::array<std::uint64_t, max_members> had_{};
    std::array<std::uint32_t, max_members> weight_ = [] {
        std::array<std::uint32_t, max_members> all;
        all.fill(usual_weight);
        return all;
    }();
    std::uint64_t floor_ = 0;     // never falls
    std::uint32_t could_run_ = 0; // those that competed when next() was asked last
    std::size_t current_ = 0;
};

} // namespace casemate::core
