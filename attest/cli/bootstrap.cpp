// SPDX-License-Identifier: Apache-2.0
// `casemate-attest bootstrap`: grants for launches to come, of platforms whose only road to the verifier is a device (docs/adr/0029).
#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/table.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Form = Column::Form;

struct Wish {
    std::string platform, reference, device, vm;
    int lease = 0; // seconds; 0: what the policy allows
};

std::string path_of(const Wish& wish) { return "/v1/platforms/" + wish.platform + "/bootstrap"; }

void issue(const ServiceOptions& options, const Wish& wish) {
    Json body{{"reference", wish.reference}, {"device", wish.device}, {"vm", wish.vm}};
    if (wish.lease != 0) body["lease_seconds"] = wish.lease;
    const Json answer = call_service(options, "POST", path_of(wish), body.dump());
    report(options, answer, answer["grant_id"].get<std::string>() + ": signed, for " + answer["lease_seconds"].dump() +
                                " s; with --json it is what casemate bootstrap put takes");
}

void list(const ServiceOptions& options, const Wish& wish) {
    const Json answer = call_service(options, "GET", path_of(wish));
    if (options.json) return report(options, answer, "");
    print_table(answer["bootstrap_grants"], {{"GRANT", "grant_id"}, {"DEVICE", "device"}, {"VM", "vm_id", Form::short_id}, {"EPOCH", "epoch"},
                                             {"LEASE S", "lease_seconds"}, {"ISSUED", "issued_at", Form::time}, {"BY", "issued_by"},
                                             {"WITHDRAWN", "withdrawn_at", Form::time}});
}

} // namespace

void declare_bootstrap(CLI::App& program) {
    CLI::App* group = program.add_subcommand("bootstrap", "grants by which a platform gets the device that is its road to the verifier");
    const auto options = declare_service(*group);
    const auto wish = std::make_shared<Wish>();
    CLI::App* sign = group->add_subcommand("issue", "sign one, to be sealed to the platform by its owner (owner)")->fallthrough();
    CLI::App* all = group->add_subcommand("list", "those of a platform")->fallthrough();
    for (CLI::App* each : {sign, all}) each->add_option("PLATFORM", wish->platform, "its id, 64 hex digits")->required();
    sign->add_option("--reference", wish->reference, "the reference set of the launch that it is for")->type_name("ID")->required();
    sign->add_option("--device", wish->device, "as in the policy: 0000:00:03.0")->type_name("DEVICE")->required();
    sign->add_option("--vm", wish->vm, "the driver VM's name")->type_name("VM")->required();
    sign->add_option("--lease", wish->lease, "seconds; as long as the policy allows, if not given")->check(CLI::PositiveNumber);
    sign->callback([options, wish] { issue(*options, *wish); });
    all->callback([options, wish] { list(*options, *wish); });
    const auto id = std::make_shared<std::string>();
    CLI::App* withdraw = group->add_subcommand("withdraw", "confirm it no more (operator)")->fallthrough();
    withdraw->add_option("GRANT", *id, "its id, 32 hex digits")->required();
    withdraw->callback([options, id] {
        const Json answer = call_service(*options, "POST", "/v1/bootstrap/" + *id + "/withdrawal");
        report(*options, answer, *id + ": withdrawn; what it gives ends with the platform's next evidence, at latest with its lease");
    });
}

} // namespace casemate::cli
