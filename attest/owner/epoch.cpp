// SPDX-License-Identifier: Apache-2.0
// casemate epoch show | bump: the platform's epoch counter (docs/interfaces/secret.md).
#include "attest/owner/command.hpp"
#include "attest/owner/secret_book.hpp"
#include "attest/verifier/json.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

namespace casemate::owner {
namespace {

using verifier::Json;

struct Options {
    PlatformOptions platform;
    std::uint64_t to = 0; // 0: the next one
    bool force = false;
};

constexpr std::uint64_t longest_way = 64; // counts of one command: a typing error must not wear the TPM's memory out

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

/// Counting past a VM's last approval would leave it without its secrets.
void refuse_lock_out(const PlatformDirectory& directory, std::uint64_t epoch) {
    const SecretBook book = or_stop(read_book(directory));
    for (const SecretEntry& each : book.secrets()) {
        const auto& approvals = book.approvals(each.vm);
        const bool lives = std::any_of(approvals.begin(), approvals.end(), [&](const auto& one) { return one.last_epoch >= epoch; });
        if (!lives)
            throw CannotRun("in epoch " + std::to_string(epoch) + " no approved state of " + each.vm + " would be left, and its secrets lost to it: "
                            "approve one first (./casemate secret approve), or say --force");
    }
}

/// From the record's epoch, not the TPM's: after a power cut between the two the same command finishes the work and counts no further.
void bump_on(const std::string& path, const Options& options) {
    const auto directory = or_stop(PlatformDirectory::open(path));
    PlatformRecord record = or_stop(read_record(directory));
    const auto tpm = tpm_of(directory, options.platform);
    if (!tpm) throw CannotRun("the TPM of " + path + " is not at hand: run this on the platform, with --tpm device:/dev/tpmrm0");
    const auto modulus = secret::read_endorsement_key(tpm->asker(), record.endorsement_key);
    if (!modulus.ok() || modulus.value() != record.modulus) throw CannotRun("this is not the TPM of the platform in " + path);
    const std::uint64_t wanted = options.to == 0 ? record.epoch + 1 : options.to;
    if (wanted > record.epoch + longest_way) throw CannotRun("epoch " + std::to_string(wanted) + " is far from " + std::to_string(record.epoch));
    if (!options.force) refuse_lock_out(directory, wanted);
    const auto epoch = secret::count_epoch_up_to(tpm->asker(), record.epoch_counter, wanted);
    if (!epoch.ok()) throw CannotRun("the TPM does not count its epoch counter up");
    record.epoch = epoch.value();
    or_stop(write_record(directory, record));
    print(record, options);
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
    bump_command->add_option("--to", options->to, "up to this value (one more)")->type_name("EPOCH")->check(CLI::PositiveNumber);
    bump_command->add_flag("--force", options->force, "even if a VM then has no approved state");
    for (CLI::App* const each : {show_command, bump_command}) add_platform_options(*each, options->platform, defaults);
    show_command->callback([options] { show(*options); });
    bump_command->callback([options] { bump(*options); });
}

} // namespace casemate::owner
