// SPDX-License-Identifier: Apache-2.0
// Implements the plan of bench.hpp.
#include "drivervms/probe/bench.hpp"

#include "drivervms/probe/io.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace casemate::probe {
namespace {

struct Step {
    std::string metric;
    std::uint64_t amount;
};

Step parse_step(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) throw std::runtime_error("a step of the plan is NAME:AMOUNT, not " + text);
    return {text.substr(0, colon), std::strtoull(text.c_str() + colon + 1, nullptr, 10)};
}

std::vector<Step> parse_plan(const Measurements& known, const std::string& plan) {
    std::vector<Step> steps;
    std::istringstream in{plan};
    for (std::string part; std::getline(in, part, ',');) {
        steps.push_back(parse_step(part));
        if (!known.contains(steps.back().metric)) throw std::runtime_error("unknown metric " + steps.back().metric);
    }
    return steps;
}

/// All interrupts that the kernel has taken.
std::uint64_t interrupts() {
    std::ifstream in{"/proc/stat"};
    std::string word;
    while (in >> word) {
        std::uint64_t count = 0;
        if (word == "intr" && in >> count) return count;
    }
    return 0;
}

void print_now(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

} // namespace

void run_plan(const Measurements& known, const std::string& plan, unsigned quiet) {
    const auto steps = parse_plan(known, plan);
    ::sleep(quiet);
    for (const Step& step : steps) {
        print_now("CM_BENCH begin metric=" + step.metric);
        const std::uint64_t before = interrupts();
        const Measured result = known.at(step.metric)(step.amount);
        const std::uint64_t taken = interrupts() - before;
        std::printf("CM_BENCH end metric=%s value=%.4f seconds=%.4f work=%llu interrupts=%llu\n", step.metric.c_str(),
                    result.value, result.seconds, static_cast<unsigned long long>(result.work),
                    static_cast<unsigned long long>(taken));
        std::fflush(stdout);
        ::sleep(quiet);
    }
}

Measured measure_idle(std::uint64_t seconds) {
    const Stopwatch watch;
    ::sleep(static_cast<unsigned>(seconds));
    return {0, watch.seconds(), 0};
}

} // namespace casemate::probe
