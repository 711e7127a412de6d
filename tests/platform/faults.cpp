// SPDX-License-Identifier: Apache-2.0
// A short campaign of `casemate faults`, of the classes that aim at others and cost no long waits. CASEMATE_SEED=N in the environment: other faults.
#include "tests/faults/campaign.hpp"
#include "tests/faults/report.hpp"
#include "tests/platform/fixture.hpp"

#include <cstdlib>

namespace casemate::platform_test {

namespace {

const std::vector<std::string> kinds{"dma", "ring", "pagetable", "text", "call"};
constexpr std::uint64_t in_ci = 5; // each once

const Registration campaign{"faults-inside-a-driver-vm-are-noticed-by-nobody-else", [](Context& context) {
    const Scratch scratch;
    faults::CampaignOptions options;
    options.built.build = context.build();
    options.count = in_ci;
    options.consoles = scratch.path();
    options.on_fault = [](const faults::Fault& fault, faults::Effect effect, const std::string& target) {
        std::printf("  %s: %s (%s)\n", fault.kind.c_str(), faults::name_of(effect), target.c_str());
        std::fflush(stdout);
    };
    faults::State state;
    state.kinds = kinds;
    const char* wanted = std::getenv("CASEMATE_SEED");
    state.seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1;
    const auto run = faults::run_campaign(options, state);
    context.expect(run.ok(), "the campaign comes to its end" + (run.ok() ? "" : ": " + run.error().text));
    std::printf("%s", faults::table(state, in_ci).c_str());
    context.expect(state.next == in_ci, "every fault was done");
    context.expect(state.failures.empty(), "the driver VM came back each time, and nobody else noticed");
    context.expect(state.evidence_checks > 0, "the newest evidence covers the whole ledger and is affirmed");
    context.expect(state.memory_checks > 0, "no DMA reached what is not its VM's");
    for (const auto& file : std::filesystem::directory_iterator{scratch.path()})
        if (file.path().extension() == ".console") std::filesystem::copy_file(file.path(), context.log(), std::filesystem::copy_options::overwrite_existing);
}};

} // namespace

} // namespace casemate::platform_test
