// SPDX-License-Identifier: Apache-2.0
// What the TPM is asked for, counted by the platform model that carries every command: nothing while data moves, one command a renewal.
#include "dlaunch/measure/tpm_command_name.hpp"
#include "policy/model/tpm_commands.hpp"
#include "tests/platform/fixture.hpp"

#include <algorithm>

namespace casemate::platform_test {

namespace {

using model::TpmCommandCounts;
using std::chrono::seconds;

constexpr std::uint8_t agent_locality = 0, own_locality = 2;
constexpr unsigned leases = 2;

std::uint64_t count_of(const TpmCommandCounts& counts, std::uint8_t locality, std::uint32_t code) {
    const auto commands = counts.find(locality);
    if (commands == counts.end()) return 0;
    const auto found = commands->second.find(code);
    return found == commands->second.end() ? 0 : found->second;
}

std::string name_of(std::uint32_t code) {
    const std::string_view name = measure::tpm_command_name(code);
    return name.empty() ? "command " + std::to_string(code) : std::string{name};
}

/// What came since `before`.
std::map<std::string, std::uint64_t> since(const TpmCommandCounts& before, const TpmCommandCounts& now, std::uint8_t locality) {
    std::map<std::string, std::uint64_t> added;
    const auto commands = now.find(locality);
    if (commands == now.end()) return added;
    for (const auto& [code, count] : commands->second) {
        const std::uint64_t earlier = count_of(before, locality, code);
        if (count > earlier) added[name_of(code)] = count - earlier;
    }
    return added;
}

std::string words(const std::map<std::string, std::uint64_t>& counts) {
    std::string text;
    for (const auto& [name, count] : counts) text += (text.empty() ? "" : ", ") + name + " " + std::to_string(count);
    return text.empty() ? "none" : text;
}

bool both_at_work(const Observation& seen) { return both_assigned(seen) && seen.count("snapshot_taken") >= 2; }

const Registration counted{"the-tpm-is-asked-once-for-each-renewal-and-never-while-data-moves", [](Context& context) {
    const auto session = begin(context, standard(context));
    if (!session) return;
    const auto now = [&]() -> const TpmCommandCounts& { return session->platform().tpm_command_counts(); };
    if (!context.expect(session->run_until(both_at_work, seconds{300}), "both driver VMs have their device and their snapshot")) return;
    context.expect(true, "until then the hypervisor and the SLB sent: " + words(since({}, now(), own_locality)));

    const TpmCommandCounts before_data = now();
    context.expect(session->run_until(both_proved, seconds{400}), "both driver VMs move their data");
    auto data = since(before_data, now(), own_locality);
    const std::uint64_t renewals = data["ReadClock"];
    data.erase("ReadClock");
    context.expect(data.empty(), "meanwhile the hypervisor sent nothing but " + std::to_string(renewals) + " ReadClock: " + words(data));

    const TpmCommandCounts before_evidence = now();
    const std::uint32_t quote = measure::tpm_command_code("Quote").value();
    const auto quotes = [&] { return count_of(now(), agent_locality, quote) - count_of(before_evidence, agent_locality, quote); };
    context.expect(session->run_until([&](const Observation&) { return quotes() == 3; }, seconds{120}), "the agent brings evidence three times more");
    const auto hypervisor = since(before_evidence, now(), own_locality);
    const bool only_clock = hypervisor.size() == 1 && hypervisor.begin()->first == "ReadClock";
    // What the first of them renewed may have been read before; the last one's renewals may still be on their way.
    context.expect(only_clock && hypervisor.begin()->second >= leases && hypervisor.begin()->second <= leases * 4,
                   "for their renewals the hypervisor reads the clock, once a lease, and sends nothing else: " + words(hypervisor));
    const auto agent = since(before_evidence, now(), agent_locality);
    const bool only_listed = std::ranges::all_of(agent, [](const auto& each) {
        const auto code = measure::tpm_command_code(each.first);
        return code && std::ranges::count(policy::most_tpm_commands, *code) != 0;
    });
    context.expect(only_listed, "for three quotes the agent and its kernel send what the policy lets them: " + words(agent));
}};

} // namespace

} // namespace casemate::platform_test
