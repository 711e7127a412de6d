// SPDX-License-Identifier: Apache-2.0
// `casemate-attest audit`: the command line of export and verify.
#include "attest/cli/audit.hpp"

#include <memory>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"

namespace casemate::cli {
namespace {

void declare_verify(CLI::App& audit) {
    auto options = std::make_shared<AuditVerify>();
    CLI::App* verify = audit.add_subcommand("verify", "check an exported trail offline; status 1 when it is not intact");
    verify->add_option("FILE", options->file, "the exported trail, - for standard input")->required();
    verify->add_option("--key", options->key, "PEM, the public audit key")->required()->check(CLI::ExistingFile);
    verify->add_option("--checkpoint", options->checkpoints,
                       "an earlier export or a file of checkpoints, kept elsewhere: FILE must continue it; repeatable")
        ->check(CLI::ExistingFile);
    verify->add_flag("--json", options->json, "say it in JSON");
    verify->callback([options] { verify_audit(*options); });
}

void declare_export(CLI::App& audit) {
    auto options = std::make_shared<AuditExport>();
    options->file = "-";
    CLI::App* exporting = audit.add_subcommand("export", "write the trail as JSON lines");
    exporting->add_option("--store", options->store,
                          "sqlite:FILE or postgresql:CONNINFO, as casemate-verifierd has it; without it the service is asked (owner)");
    options->service = declare_service(*exporting);
    exporting->require_subcommand(0);
    exporting->add_option("FILE", options->file, "where to, - for standard output")->capture_default_str();
    exporting->callback([options] { export_audit(*options); });
}

} // namespace

void declare_audit(CLI::App& program) {
    CLI::App* audit = program.add_subcommand("audit", "the audit trail of the verifier's decisions");
    audit->require_subcommand(1);
    declare_verify(*audit);
    declare_export(*audit);
}

} // namespace casemate::cli
