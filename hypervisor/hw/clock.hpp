// SPDX-License-Identifier: Apache-2.0
// Time for bounded waits. Every wait for hardware names its limit and asks a Deadline; none polls without
// one. The hypervisor's clock is the calibrated TSC; unit tests pass one that they move by hand.
#pragma once

#include <compare>
#include <cstdint>

namespace casemate::hw {

struct Micros {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const Micros&) const = default;
};

class Clock {
public:
    /// Since an arbitrary start; never falls.
    [[nodiscard]] virtual Micros now() const = 0;

protected:
    ~Clock() = default;
};

class Deadline {
public:
    Deadline(const Clock& clock, Micros limit) : clock_{&clock}, end_{clock.now().value + limit.value} {}
    [[nodiscard]] bool passed() const { return clock_->now().value >= end_; }

private:
    const Clock* clock_;
    std::uint64_t end_;
};

/// Spins for a time that a specification asks for.
inline void wait(const Clock& clock, Micros time) {
    const Deadline end{clock, time};
    while (!end.passed()) {
    }
}

} // namespace casemate::hw
