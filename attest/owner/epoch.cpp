// SPDX-License-Identifier: Apache-2.0
// casemate epoch show | bump: the platform's epoch counter (docs/interfaces/secret.md).
#include "attest/owner/command.hpp"
#include "attest/owner/epoch_counter.hpp"
#include "attest/verifier/json.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

namespace casemate::owner {
namespace {

using verifier::Json;

struct Options {
    PlatformOptions platform;
    Count count;
};

void print(const PlatformRecord& record, const Options& options) {
    if (options.platform.json)
        std::cout << Json{{"platform", record.platform_id()}, {"epoch", record.epoch}} << "\n";
    else
        std::printf("platform %.16s: epoch %llu\n", record.platform_id().c_str(), static_cast<unsigned long long>(record.epoch));
}

void show(const Options& options) {
    for (const std::string& path : options.platform.directories)
        print(current_record(or_stop(PlatformDirectory::open(path)), options.platform), options);
}

void bump_on(const std::string& path, const Options& options) {
    const auto directory = or_stop(PlatformDirectory::open(path));
    const auto tpm = tpm_of(directory, options.platform);
    if (!tpm) throw CannotRun("the TPM of " + path + " is not at hand: run this on the platform, with --tpm device:/dev/tpmrm0");
    print(or_stop(count_epoch(directory, *tpm, options.count)), options);
}

void bump(const Options& options) {
    for (const std::string& path : options.platform.directories) bump_on(path, options);
}

} // namespace

void declare_epoch(CLI::App& program, const Defaults& defaults) {
    CLI::App* const group = program.add_subcommand("epoch", "the counter in a platform's TPM that ends old approvals");
    group->require_subcommand(1);
    const auto options = std::make_shared<Options>();
    CLI::App* const show_command = group->add_subcommand("show", "its value");
    CLI::App* const bump_command = group->add_subcommand("bump", "count it up: states approved for older epochs are locked out, for ever");
    bump_command->add_option("--to", options->count.to, "up to this value (one more)")->type_name("EPOCH")->check(CLI::PositiveNumber);
    bump_command->add_flag("--force", options->count.force, "even if a VM then has no approved state");
    for (CLI::App* const each : {show_command, bump_command}) add_platform_options(*each, options->platform, defaults);
    add_owner_password(*bump_command, options->platform);
    show_command->callback([options] { show(*options); });
    bump_command->callback([options] { bump(*options); });
}

} // namespace casemate::owner
