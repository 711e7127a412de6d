// SPDX-License-Identifier: Apache-2.0
// Load for a running service: enrolled platforms with a log of some size that renew over kept connections, as fast as they
// are answered or at a rate. All on one thread.
#pragma once

#include "tests/fleet/player.hpp"

namespace casemate::fleet {

struct LoadResult {
    double seconds = 0;
    std::vector<std::size_t> rounds;  // by connection
    std::vector<double> milliseconds; // of each round, in no order; at a rate: since it was due
    std::size_t failed = 0;           // rounds whose answer was not affirming with both renewals

    [[nodiscard]] std::size_t total() const;
    [[nodiscard]] double rate() const { return static_cast<double>(total()) / seconds; }
    /// 0.99: what 99 of 100 rounds took at most.
    [[nodiscard]] double percentile(double part) const;
};

class LoadFleet {
public:
    /// `platforms` of them on as many `connections` or fewer, in turn. Enrols all and takes their grants, 64 at a time.
    /// Throws when one is refused.
    LoadFleet(Stage& stage, std::size_t platforms, std::size_t connections);

    /// Every connection sends its next round when the last is answered.
    [[nodiscard]] LoadResult as_fast_as_answered(std::chrono::milliseconds time);
    /// Rounds fall due at this rate, evenly over the platforms.
    [[nodiscard]] LoadResult at_rate(double rounds_a_second, std::chrono::milliseconds time);

private:
    using Clock = std::chrono::steady_clock;
    struct Lane {
        std::vector<std::unique_ptr<Player>> players; // of one connection
        std::size_t next = 0;
    };

    [[nodiscard]] Task<> prepare(Lane& lane);
    [[nodiscard]] Task<> one_round(Lane& lane, Clock::time_point due, LoadResult& result, std::size_t index);
    [[nodiscard]] Task<> run_lane(std::size_t index, Clock::time_point until, LoadResult& result);
    [[nodiscard]] Task<> run_lane_at_rate(std::size_t index, double rate, Clock::time_point from, Clock::time_point until, LoadResult& result);
    void run(std::vector<Task<>> tasks);

    Stage& stage_;
    std::vector<Lane> lanes_;
};

} // namespace casemate::fleet
