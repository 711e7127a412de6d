// SPDX-License-Identifier: Apache-2.0
// The operator's orders that wait for the agent: a file that the relay hands out (docs/interfaces/relay.md), and their results in
// the agent's report.
// UNTRUSTED: the results. Invariant: an order leaves the file when it is answered, or too old to be meant.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <optional>
#include <string>

namespace casemate::session {

class OrderDesk {
public:
    using Time = std::chrono::steady_clock::time_point;
    /// The order's number and the hypervisor's OrderError (docs/interfaces/control.md).
    using Answered = std::function<void(std::uint64_t, std::uint64_t)>;

    static constexpr std::size_t max_waiting = 8;
    static constexpr std::chrono::seconds patience{15}; // two reports of the agent, and a busy machine

    explicit OrderDesk(std::filesystem::path file) : file_{std::move(file)} {}

    /// The order's number; nothing when too many wait or the file cannot be written.
    std::optional<std::uint64_t> place(const std::string& vm, const std::string& order, Time now);
    /// The results in a status report, each told once.
    void take(const nlohmann::json& status, const Answered& answered);
    /// Forgets what is too old.
    void tick(Time now);
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
    struct Order {
        std::uint64_t id;
        std::string vm;
        std::string order;
        Time placed;
    };
    [[nodiscard]] bool write() const;

    std::filesystem::path file_;
    std::list<Order> waiting_;
    std::uint64_t last_id_ = 0;
};

} // namespace casemate::session
