// SPDX-License-Identifier: Apache-2.0
// Turns on a shared core, played with a clock of ticks: what each VM gets, and how long it waits.
#include "hypervisor/core/core_caps.hpp"
#include "hypervisor/core/fair_share.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using casemate::core::CoreCaps;
using casemate::core::FairShare;

namespace {

constexpr std::uint64_t slice = 4000;

/// A core on which members spin or sleep as the test says.
struct Core {
    FairShare share;
    std::uint32_t can_run = 0;
    std::array<std::uint64_t, FairShare::max_members> got{};

    /// The one whose turn it is runs `ticks`, or as long as it may if that is less. Who it was.
    std::size_t run(std::uint64_t ticks) {
        const auto turn = share.next(can_run, slice);
        if (turn.who == FairShare::nobody) return turn.who;
        const std::uint64_t used = turn.ticks != 0 ? std::min(ticks, turn.ticks) : ticks;
        share.charge(used);
        got[turn.who] += used;
        return turn.who;
    }
    void run_for(std::uint64_t total, std::uint64_t exit_every) {
        const auto sum = [this] { return std::accumulate(got.begin(), got.end(), std::uint64_t{0}); };
        for (const std::uint64_t end = sum() + total; sum() < end;) (void)run(exit_every);
    }
    /// Of member 0, which always can run, while whoever else can is another matter each time.
    std::uint64_t longest_wait() {
        std::uint64_t waited = 0, longest = 0, seed = 1;
        for (int round = 0; round < 200'000; ++round) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            can_run = (static_cast<std::uint32_t>(seed >> 33) & 0xffff) | 1;
            const std::uint64_t before = std::accumulate(got.begin(), got.end(), std::uint64_t{0});
            const std::size_t who = run(1 + (seed >> 20) % slice);
            const std::uint64_t used = std::accumulate(got.begin(), got.end(), std::uint64_t{0}) - before;
            waited = who == 0 ? 0 : waited + used;
            longest = std::max(longest, waited);
        }
        return longest;
    }
};

} // namespace

TEST_CASE("A core without a VM that can run has nobody's turn") {
    FairShare share;
    CHECK(share.next(0, slice).who == FairShare::nobody);
}

TEST_CASE("A VM alone on its core may run on") {
    FairShare share;
    const auto turn = share.next(1u << 5, slice);
    CHECK(turn.who == 5);
    CHECK(turn.ticks == 0);
}

TEST_CASE("VMs that never sleep share a core equally, however often each exits") {
    Core core{.share = {}, .can_run = 0xffff, .got = {}};
    core.run_for(16 * 100 * slice, 700);
    for (const std::uint64_t got : core.got) {
        CHECK(got >= 98 * slice);
        CHECK(got <= 102 * slice);
    }
}

TEST_CASE("A turn lasts as long as was announced, and a slice between two that spin") {
    Core core{.share = {}, .can_run = 0b11, .got = {}};
    (void)core.run(slice * 10);
    const std::size_t second = core.run(slice * 10);
    CHECK(second == 1);
    CHECK(core.got[1] == slice);
    const auto turn = core.share.next(core.can_run, slice);
    CHECK(turn.who == 0);
    core.share.charge(turn.ticks - 1);
    CHECK(core.share.next(core.can_run, slice).who == 0);
    core.share.charge(1);
    CHECK(core.share.next(core.can_run, slice).who == 1);
}

TEST_CASE("A VM that wakes comes before those that spin") {
    Core core{.share = {}, .can_run = 0b0110, .got = {}};
    core.run_for(50 * slice, slice);
    core.can_run |= 1;
    CHECK(core.run(10) == 0);
}

TEST_CASE("A VM that slept long keeps the others waiting for no more than its credit and a turn") {
    Core core{.share = {}, .can_run = 0b10, .got = {}};
    core.run_for(1000 * slice, slice);
    core.can_run = 0b11;
    std::uint64_t alone = 0;
    while (alone < 10 * slice && core.run(100) == 0) alone += 100;
    CHECK(alone >= slice);
    CHECK(alone <= 2 * slice);
}

TEST_CASE("A VM that wakes often for a moment is served at once each time, and the spinning one keeps the rest") {
    Core core{.share = {}, .can_run = 0b10, .got = {}};
    (void)core.run(slice); // from here on the one that sleeps has a credit
    for (int wake = 0; wake < 1000; ++wake) {
        core.can_run = 0b11;
        CHECK(core.run(100) == 0);
        core.can_run = 0b10;
        (void)core.run(900);
    }
    CHECK(core.got[0] == 1000 * 100);
    CHECK(core.got[1] == 1000 * 900 + slice);
}

TEST_CASE("Sleeping and waking at every exit earns no more than a fair share") {
    Core core{.share = {}, .can_run = 0b10, .got = {}};
    for (int round = 0; round < 100'000; ++round) {
        core.can_run = round % 2 == 0 ? 0b11 : 0b10; // asleep for one exit of the other, then back
        (void)core.run(100);
    }
    CHECK(core.got[0] <= core.got[1] + 2 * slice);
}

TEST_CASE("Among fifteen that spin or sleep a moment, one that can run waits for no more than two turns of each") {
    Core core{.share = {}, .can_run = 0xffff, .got = {}};
    const std::uint64_t longest = core.longest_wait();
    CHECK(core.got[0] > 0);
    CHECK(longest <= 15 * 2 * slice);
}

TEST_CASE("Whatever the weights of the others, one that can run waits for no more than two turns of each, by its weight") {
    Core core{.share = {}, .can_run = 0xffff, .got = {}};
    std::uint64_t bound = 0;
    for (std::size_t member = 1; member < FairShare::max_members; ++member) {
        const std::uint32_t weight = 25 + 75 * static_cast<std::uint32_t>(member % 5);
        core.share.set_weight(member, weight);
        bound += 2 * slice * weight / FairShare::usual_weight;
    }
    const std::uint64_t longest = core.longest_wait();
    CHECK(core.got[0] > 0);
    CHECK(longest <= bound);
}

TEST_CASE("Who was not there when the others ran cannot claim that time when all have slept") {
    Core core{.share = {}, .can_run = 0b01, .got = {}};
    core.run_for(100 * slice, slice);
    core.can_run = 0;
    (void)core.run(1);
    core.can_run = 0b11;
    core.run_for(20 * slice, 100);
    CHECK(core.got[1] <= 12 * slice);
}

TEST_CASE("VMs that never sleep share a core by their weights") {
    Core core{.share = {}, .can_run = 0b111, .got = {}};
    core.share.set_weight(0, 300);
    core.share.set_weight(2, 50);
    core.run_for(450 * slice, 700);
    CHECK(core.got[0] / slice >= 295);
    CHECK(core.got[0] / slice <= 305);
    CHECK(core.got[1] / slice >= 97);
    CHECK(core.got[1] / slice <= 103);
    CHECK(core.got[2] / slice >= 47);
    CHECK(core.got[2] / slice <= 53);
}

TEST_CASE("A light VM that wakes comes before heavy ones that spin") {
    Core core{.share = {}, .can_run = 0b11, .got = {}};
    core.share.set_weight(2, 10);
    core.run_for(20 * slice, 700);
    core.can_run |= 1u << 2;
    CHECK(core.run(100) == 2);
}

TEST_CASE("A VM with a cap has that much of every period and waits for the next, others are not held") {
    constexpr std::uint64_t period = 1000;
    CoreCaps caps;
    caps.set(3, 20);
    std::uint64_t now = 5000;
    REQUIRE(caps.admit(0b1010, now, period) == 0b1010);
    CHECK(caps.deadline(3, now) == now + 200);
    CHECK(caps.deadline(1, now) == CoreCaps::never);
    caps.charge(3, 150);
    now += 150;
    CHECK(caps.deadline(3, now) == now + 50);
    caps.charge(3, 60);
    now += 60;
    CHECK(caps.admit(0b1010, now, period) == 0b0010);
    CHECK(caps.deadline(1, now) == 6000); // then 3 may run again
    CHECK(caps.admit(0b1000, now, period) == 0);
    CHECK(caps.deadline(CoreCaps::max_members, now) == 6000);
    CHECK(caps.admit(0b0010, now, period) == 0b0010);
    CHECK(caps.deadline(1, now) == CoreCaps::never); // it does not want to
    CHECK(caps.admit(0b1000, 6000, period) == 0b1000);
    CHECK(caps.deadline(3, 6000) == 6200);
}

TEST_CASE("A VM without a cap may have all of a core") {
    CoreCaps caps;
    caps.charge(0, 5000);
    CHECK(caps.admit(1, 100, 1000) == 1);
    caps.charge(0, 2000);
    CHECK(caps.admit(1, 200, 1000) == 1);
}
