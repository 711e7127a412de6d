// SPDX-License-Identifier: Apache-2.0
// `casemate-attest grant`: which devices were granted, and taking them back.
#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/table.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Form = Column::Form;

void list(const ServiceOptions& options) {
    const Json answer = call_service(options, "GET", "/v1/grants");
    if (options.json) return report(options, answer, "");
    print_table(answer["grants"], {{"GRANT", "grant_id"}, {"PLATFORM", "platform_id", Form::short_id}, {"DEVICE", "device"},
                                   {"VM", "vm_id", Form::short_id}, {"EPOCH", "epoch"}, {"LEASE S", "lease_seconds"},
                                   {"RENEWED", "renewed_at", Form::time}, {"REVOKED", "revoked_at", Form::time},
                                   {"HELD", "held"}});
}

} // namespace

void declare_grant(CLI::App& program) {
    CLI::App* group = program.add_subcommand("grant", "grants of devices to VMs");
    const auto options = declare_service(*group);
    group->add_subcommand("list", "the newest 200")->fallthrough()->callback([options] { list(*options); });
    auto id = std::make_shared<std::string>();
    CLI::App* revoke = group->add_subcommand("revoke", "take the device back and grant it no more (operator)")->fallthrough();
    revoke->add_option("GRANT", *id, "its id, 32 hex digits")->required();
    revoke->callback([options, id] {
        const Json answer = call_service(*options, "POST", "/v1/grants/" + *id + "/revocation");
        report(*options, answer, *id + ": revoked; it ends at the platform's next contact, at latest with its lease");
    });
    CLI::App* release = group->add_subcommand("release", "let it be granted again (operator)")->fallthrough();
    release->add_option("GRANT", *id, "its id, 32 hex digits")->required();
    release->callback([options, id] {
        report(*options, call_service(*options, "POST", "/v1/grants/" + *id + "/release"), *id + ": held back no longer");
    });
}

} // namespace casemate::cli
