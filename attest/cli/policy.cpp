// SPDX-License-Identifier: Apache-2.0
// `casemate-attest policy`: the rules that hold for the whole fleet.
#include <cstdint>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/service.hpp"

namespace casemate::cli {

using verifier::Json;

void declare_policy(CLI::App& program) {
    CLI::App* group = program.add_subcommand("policy", "rules of the fleet");
    const auto options = declare_service(*group);
    const auto say = [options](const Json& answer) {
        report(*options, answer, "policies of epoch " + answer["minimum_policy_epoch"].dump() + " and later are accepted");
    };
    group->add_subcommand("show", "the rules")->fallthrough()->callback([options, say] {
        say(call_service(*options, "GET", "/v1/rules"));
    });
    auto epoch = std::make_shared<std::uint64_t>(0);
    CLI::App* set = group->add_subcommand("minimum-epoch", "refuse older policies from the next evidence on (owner)")->fallthrough();
    set->add_option("EPOCH", *epoch, "the least that is accepted")->required();
    set->callback([options, epoch, say] {
        say(call_service(*options, "POST", "/v1/rules", Json{{"minimum_policy_epoch", *epoch}}.dump()));
    });
}

} // namespace casemate::cli
