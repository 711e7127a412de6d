// SPDX-License-Identifier: Apache-2.0
// The share of a processor that a thread used, against this very thread.
#include "dlaunch/session/core_share.hpp"

#include <catch2/catch.hpp>

#include <thread>
#include <unistd.h>

using casemate::session::CoreShares;

TEST_CASE("a busy core has a share, a sleeping one has none, and an unknown one is not known", "[session]") {
    const int self = ::gettid();
    CoreShares shares{::getpid(), {self, 1 << 30}};
    auto now = CoreShares::Time{} + std::chrono::hours{1};
    CHECK_FALSE(shares.of(0));
    shares.sample(now);
    CHECK_FALSE(shares.of(0)); // one reading tells nothing
    const std::clock_t start = std::clock();
    while (std::clock() - start < CLOCKS_PER_SEC / 4) {}
    shares.sample(now += std::chrono::seconds{1});
    REQUIRE(shares.of(0));
    CHECK(*shares.of(0) > 0.1);
    CHECK(*shares.of(0) <= 1);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    shares.sample(now += std::chrono::seconds{1});
    CHECK(*shares.of(0) < 0.1);
    CHECK_FALSE(shares.of(1));
    CHECK_FALSE(shares.of(2));
    shares.sample(now); // no time has passed
    CHECK_FALSE(shares.of(0));
}
