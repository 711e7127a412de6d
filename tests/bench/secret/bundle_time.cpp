// SPDX-License-Identifier: Apache-2.0
// casemate-bench-bundle BUNDLE ROUNDS: opens, verifies and parses a policy bundle with the cryptography that SLB and hypervisor are linked with,
// at this machine's own speed, and prints the milliseconds of each round, a line each. Run by casemate-bench-secret, which has the other library.
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

int main(int argc, char** argv) {
    using namespace casemate;
    if (argc != 3) return 2;
    std::ifstream in{argv[1], std::ios::binary};
    const std::vector<char> text{std::istreambuf_iterator<char>{in}, {}};
    const ByteView bundle{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    for (int rounds = std::atoi(argv[2]); rounds > 0; --rounds) {
        const auto start = std::chrono::steady_clock::now();
        const auto policy = std::make_unique<policy::Policy>();
        const auto opened = policy::open_bundle(bundle);
        if (!opened.ok() || !policy::verify_bundle(opened.value()).ok() || !policy::parse_policy(opened.value().payload(), *policy).ok()) return 1;
        std::printf("%.6f\n", std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    return 0;
}
