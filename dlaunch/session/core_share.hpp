// SPDX-License-Identifier: Apache-2.0
// How busy each core of the emulated machine keeps the host, by the processor time of its vCPU thread: what an operator sees of
// "CPU load" without asking a guest. A core that idles sleeps; one that runs a guest or the hypervisor does not.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

namespace casemate::session {

/// User and system time of a thread; nothing when it is gone.
[[nodiscard]] std::optional<double> processor_seconds(int process, int thread);

class CoreShares {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// The threads (gettid(2)) in the order of the cores, all of `process`.
    CoreShares(int process, std::vector<int> threads) : process_{process}, threads_{std::move(threads)} {}

    /// Call it about once a second; what follows is measured between the last two calls.
    void sample(Time now);
    /// 0 to 1, of one host processor; nothing when it is not known.
    [[nodiscard]] std::optional<double> of(std::size_t core) const;

private:
    struct Reading {
        Time when{};
        std::vector<std::optional<double>> seconds{}; // of processor time, by core
    };

    int process_;
    std::vector<int> threads_;
    Reading earlier_;
    Reading latest_;
};

} // namespace casemate::session
