// SPDX-License-Identifier: Apache-2.0
// The processor time of a thread, against this very thread.
#include "dlaunch/session/processor_time.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <ctime>
#include <thread>
#include <unistd.h>

using casemate::session::processor_seconds;

TEST_CASE("a busy thread uses processor time, a sleeping one none, and of an unknown one it is not known", "[session]") {
    const auto used = [] { return processor_seconds(::getpid(), ::gettid()); };
    const auto before = used();
    REQUIRE(before);
    const std::clock_t start = std::clock();
    while (std::clock() - start < CLOCKS_PER_SEC / 4) {}
    const auto busy = used();
    REQUIRE(busy);
    CHECK(*busy - *before > 0.1);
    CHECK(*busy - *before < 10); // seconds, not clock ticks
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    const auto slept = used();
    REQUIRE(slept);
    CHECK(*slept - *busy < 0.1);
    CHECK_FALSE(processor_seconds(::getpid(), 1 << 30));
    CHECK_FALSE(processor_seconds(1 << 30, ::gettid()));
}
