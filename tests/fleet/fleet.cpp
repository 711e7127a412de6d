// SPDX-License-Identifier: Apache-2.0
// See fleet.hpp.
#include "tests/fleet/fleet.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace casemate::fleet {
namespace {

constexpr const char* good_life = "enrolled, granted, renewed";

/// Until it holds its devices; what came in the way, or nothing.
Task<std::string> start_life(Player& player) {
    co_await player.connect();
    const Reply enrolled = co_await player.enrol();
    if (enrolled.status != 200) co_return "not enrolled: " + enrolled.word();
    const Reply first = co_await player.attest();
    if (first.word() != "affirming" || player.platform().grants() != 2) co_return "not granted: " + first.word();
    co_return "";
}

Task<std::string> renew(Player& player, unsigned times) {
    for (unsigned i = 1; i <= times; ++i) {
        const std::size_t before = player.platform().renewals();
        const Reply reply = co_await player.attest();
        if (reply.word() != "affirming" || player.platform().renewals() != before + 2) co_return "not renewed: " + reply.word();
    }
    co_return "";
}

Task<std::string> live_honestly(Player& player, unsigned renewals) {
    std::string trouble = co_await start_life(player);
    if (trouble.empty()) trouble = co_await renew(player, renewals);
    co_return trouble.empty() ? good_life : trouble;
}

/// A misbehaviour may cost nobody else anything, and the platform itself nothing but that one request.
Task<std::string> misbehave(Player& player, Player& other, const Misbehaviour& misbehaviour) {
    std::string trouble = co_await start_life(other);
    if (trouble.empty() && misbehaviour.enrolled) trouble = co_await start_life(player);
    if (!misbehaviour.enrolled) co_await player.connect();
    if (!trouble.empty()) co_return trouble;
    const std::string got = co_await misbehaviour.play(player, other);
    co_await other.connect(); // anew: it may have been idle for long
    trouble = co_await renew(other, 1);
    if (misbehaviour.enrolled && trouble.empty()) {
        co_await player.connect();
        trouble = co_await renew(player, 1);
    }
    co_return trouble.empty() ? got : got + ", and after it " + trouble;
}

void start(Stage& stage, Task<std::string> task, Outcome& outcome) {
    boost::asio::co_spawn(stage.io, std::move(task), [&outcome](std::exception_ptr failure, std::string got) {
        outcome.got = std::move(got);
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const std::exception& reason) {
            outcome.got = std::string("broke off: ") + reason.what();
        }
    });
}

std::vector<Misbehaviour> chosen(const FleetPlan& plan) {
    std::vector<Misbehaviour> all = misbehaviours();
    std::erase_if(all, [&](const Misbehaviour& each) {
        return plan.but_misbehaviour == each.name || (!plan.only_misbehaviour.empty() && plan.only_misbehaviour != each.name);
    });
    return all;
}

} // namespace

std::vector<Outcome> run_fleet(Stage& stage, const FleetPlan& plan) {
    const std::vector<Misbehaviour> misbehaving = chosen(plan);
    std::vector<Outcome> outcomes(plan.honest + misbehaving.size()); // never moves: coroutines write into it
    std::vector<std::unique_ptr<Player>> players;
    const auto player = [&](EkKind kind) -> Player& { return *players.emplace_back(std::make_unique<Player>(stage, kind)); };
    for (unsigned i = 0; i < plan.honest; ++i) {
        Player& honest = player(i < plan.with_rsa ? EkKind::rsa2048 : EkKind::ecc_p256);
        outcomes[i] = {"honest platform " + std::to_string(i), good_life, ""};
        start(stage, live_honestly(honest, plan.renewals), outcomes[i]);
    }
    for (std::size_t i = 0; i < misbehaving.size(); ++i) {
        Outcome& outcome = outcomes[plan.honest + i];
        outcome = {misbehaving[i].name, misbehaving[i].expected, ""};
        start(stage, misbehave(player(EkKind::ecc_p256), player(EkKind::ecc_p256), misbehaving[i]), outcome);
    }
    stage.io.run();
    return outcomes;
}

} // namespace casemate::fleet
