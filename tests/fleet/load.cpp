// SPDX-License-Identifier: Apache-2.0
// See load.hpp.
#include "tests/fleet/load.hpp"

#include <algorithm>
#include <numeric>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace casemate::fleet {
namespace {

constexpr std::size_t prepared_at_once = 64;
constexpr int devices = 2; // of each platform: as many renewals a round

} // namespace

std::size_t LoadResult::total() const { return std::accumulate(rounds.begin(), rounds.end(), std::size_t{0}); }

double LoadResult::percentile(double part) const {
    if (milliseconds.empty()) return 0;
    std::vector<double> sorted = milliseconds;
    const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
    return sorted[at];
}

LoadFleet::LoadFleet(Stage& stage, std::size_t platforms, std::size_t connections) : stage_{stage}, lanes_(connections) {
    std::vector<std::shared_ptr<Client>> clients;
    for (std::size_t i = 0; i < connections; ++i) clients.push_back(std::make_shared<Client>(stage.io, stage.target));
    for (std::size_t i = 0; i < platforms; ++i)
        lanes_[i % connections].players.push_back(std::make_unique<Player>(stage, EkKind::ecc_p256, clients[i % connections]));
    std::vector<Task<>> workers;
    const auto worker = [](LoadFleet& fleet, std::size_t first) -> Task<> {
        for (std::size_t i = first; i < fleet.lanes_.size(); i += prepared_at_once) co_await fleet.prepare(fleet.lanes_[i]);
    };
    for (std::size_t i = 0; i < std::min(prepared_at_once, connections); ++i) workers.push_back(worker(*this, i));
    run(std::move(workers));
}

Task<> LoadFleet::prepare(Lane& lane) {
    bool connected = false;
    for (const auto& player : lane.players) {
        if (!std::exchange(connected, true)) co_await player->client().connect();
        const Reply enrolled = co_await player->enrol();
        if (enrolled.status != 200) throw std::runtime_error("a platform was not enrolled: " + enrolled.word());
        const Reply granted = co_await player->attest();
        if (granted.word() != "affirming") throw std::runtime_error("a platform got no grant: " + granted.word());
    }
}

/// Any failure ends the whole load.
void LoadFleet::run(std::vector<Task<>> tasks) {
    std::exception_ptr first_failure;
    for (Task<>& task : tasks)
        boost::asio::co_spawn(stage_.io, std::move(task), [&](std::exception_ptr failure) {
            if (!failure || first_failure) return;
            first_failure = failure;
            stage_.io.stop();
        });
    stage_.io.restart();
    stage_.io.run();
    if (first_failure) std::rethrow_exception(first_failure);
}

Task<> LoadFleet::one_round(Lane& lane, Clock::time_point due, LoadResult& result, std::size_t index) {
    Player& player = *lane.players[lane.next];
    lane.next = (lane.next + 1) % lane.players.size();
    const int renewals = co_await player.renew();
    if (renewals != devices) ++result.failed;
    ++result.rounds[index];
    result.milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
}

Task<> LoadFleet::run_lane(std::size_t index, Clock::time_point until, LoadResult& result) {
    while (Clock::now() < until) co_await one_round(lanes_[index], Clock::now(), result, index);
}

LoadResult LoadFleet::as_fast_as_answered(std::chrono::milliseconds time) {
    LoadResult result;
    result.rounds.resize(lanes_.size());
    const Clock::time_point start = Clock::now();
    std::vector<Task<>> tasks;
    for (std::size_t i = 0; i < lanes_.size(); ++i) tasks.push_back(run_lane(i, start + time, result));
    run(std::move(tasks));
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
}

/// Rounds i, i + lanes, i + 2 lanes ... of the whole sequence are this lane's.
Task<> LoadFleet::run_lane_at_rate(std::size_t index, double rate, Clock::time_point from, Clock::time_point until, LoadResult& result) {
    boost::asio::steady_timer timer{stage_.io};
    for (std::size_t round = index;; round += lanes_.size()) {
        const std::chrono::duration<double> after{static_cast<double>(round) / rate};
        const Clock::time_point due = from + std::chrono::duration_cast<Clock::duration>(after);
        if (due >= until) co_return;
        timer.expires_at(due);
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_await one_round(lanes_[index], due, result, index);
    }
}

LoadResult LoadFleet::at_rate(double rounds_a_second, std::chrono::milliseconds time) {
    LoadResult result;
    result.rounds.resize(lanes_.size());
    const Clock::time_point start = Clock::now();
    std::vector<Task<>> tasks;
    for (std::size_t i = 0; i < lanes_.size(); ++i) tasks.push_back(run_lane_at_rate(i, rounds_a_second, start, start + time, result));
    run(std::move(tasks));
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
}

} // namespace casemate::fleet
