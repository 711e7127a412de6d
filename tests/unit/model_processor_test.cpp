// SPDX-License-Identifier: Apache-2.0
// Which host processor a platform's vCPU threads get.
#include "dlaunch/model/host_processor.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <sched.h>
#include <set>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace casemate::model;

namespace {

std::set<unsigned> affinity_of(int thread) {
    cpu_set_t set;
    REQUIRE(::sched_getaffinity(thread, sizeof set, &set) == 0);
    std::set<unsigned> processors;
    for (unsigned i = 0; i < CPU_SETSIZE; ++i)
        if (CPU_ISSET(i, &set)) processors.insert(i);
    return processors;
}

} // namespace

TEST_CASE("platforms side by side share no processor while there are enough", "[model]") {
    const std::set<unsigned> allowed = affinity_of(0);
    std::vector<std::unique_ptr<HostProcessor>> taken;
    std::set<unsigned> numbers;
    for (std::size_t i = 0; i < allowed.size(); ++i)
        numbers.insert(taken.emplace_back(std::make_unique<HostProcessor>())->number());
    CHECK(numbers == allowed);
    const HostProcessor one_more;
    CHECK(allowed.contains(one_more.number()));
}

TEST_CASE("a processor that was given back is taken again", "[model]") {
    std::vector<std::unique_ptr<HostProcessor>> taken;
    for (std::size_t i = 0; i < affinity_of(0).size(); ++i) taken.push_back(std::make_unique<HostProcessor>());
    const unsigned given_back = taken.back()->number();
    taken.pop_back();
    CHECK(HostProcessor{}.number() == given_back);
}

TEST_CASE("a confined thread has one processor, and no other thread is concerned", "[model]") {
    const HostProcessor processor;
    const std::set<unsigned> before = affinity_of(0);
    std::thread{[&processor] {
        REQUIRE(processor.confine(::gettid()));
        CHECK(affinity_of(0) == std::set<unsigned>{processor.number()});
    }}.join();
    CHECK(affinity_of(0) == before);
}

TEST_CASE("a thread that is not there cannot be confined", "[model]") {
    const auto refused = HostProcessor{}.confine(0x7FFF'FFFF);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.starts_with("cannot keep thread 2147483647 on processor "));
}
