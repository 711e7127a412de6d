// SPDX-License-Identifier: Apache-2.0
// How many console lines a VM may still print. The console is shared and slow, and whoever prints holds its lock: without
// a limit a VM that floods it would delay the other cores, and with them the enforcement of leases.
#pragma once

#include <algorithm>
#include <cstdint>

namespace casemate::core {

class LineBudget {
public:
    static constexpr std::uint64_t burst = 1500, per_second = 200; // a verbose boot of Linux prints about 700

    /// True if one more line may be printed now; else it is counted as dropped.
    [[nodiscard]] bool spend(std::uint64_t now_ms) {
        const std::uint64_t earned = (now_ms - counted_until_ms_) * per_second / 1000;
        if (earned != 0) {
            lines_ = std::min(burst, lines_ + earned);
            counted_until_ms_ = now_ms;
        }
        if (lines_ == 0) return ++dropped_, false;
        return --lines_, true;
    }
    /// Lines dropped since the last call.
    [[nodiscard]] std::uint64_t take_dropped() {
        const std::uint64_t dropped = dropped_;
        dropped_ = 0;
        return dropped;
    }

private:
    std::uint64_t lines_ = burst;
    std::uint64_t dropped_ = 0;
    std::uint64_t counted_until_ms_ = 0;
};

} // namespace casemate::core
