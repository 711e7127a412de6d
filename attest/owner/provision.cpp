// SPDX-License-Identifier: Apache-2.0
// casemate provision: a new platform into the owner's hands, or with --undo out of them again.
#include "attest/owner/command.hpp"
#include "attest/owner/provisioning.hpp"
#include "attest/verifier/json.hpp"

#include "dlaunch/model/tpm_identity.hpp"

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
    std::string esp, build;
    bool emulated = false, dry_run = false, undo = false;
};

/// One step and what came of it: "done", "was done", "to do", "undone", "was not done".
using Report = std::vector<std::pair<std::string, std::string>>;

void note(Report& report, const Options& options, const std::string& what, const char* outcome) {
    report.emplace_back(what, outcome);
    if (options.platform.json) return;
    std::printf("  %-12s  %s\n", outcome, what.c_str());
    std::fflush(stdout);
}

void forward(const std::vector<Step>& steps, const Options& options, Report& report) {
    for (const Step& step : steps) {
        const bool was = or_stop(step.done());
        if (!was && !options.dry_run) {
            or_stop(step.work());
            if (!or_stop(step.done())) throw CannotRun(step.what + ": it was done, and is not there");
        }
        note(report, options, step.what, was ? "was done" : options.dry_run ? "to do" : "done");
    }
}

void backward(std::vector<Step> steps, const Options& options, Report& report) {
    std::reverse(steps.begin(), steps.end());
    for (const Step& step : steps) {
        if (!step.undo) continue;
        const bool is = or_stop(step.present ? step.present() : step.done());
        if (is && !options.dry_run) or_stop(step.undo());
        note(report, options, step.what, !is ? "was not done" : options.dry_run ? "to undo" : "undone");
    }
}

/// Before the first step: undoing the record and then failing at the TPM would be half the work.
void expect_owner_password(TpmAccess& tpm) {
    const auto taken = secret::try_owner_password(tpm.asker());
    if (!taken.ok() && secret::is_password_refusal(taken.error())) or_stop(Status<Error>{tpm.refusal("does not take its owner's orders", taken.error())});
}

std::unique_ptr<TpmAccess> tpm_for(const PlatformDirectory& directory, const Options& options) {
    if (options.emulated) {
        const auto made = model::ensure_tpm(directory.path() / "tpm", "sha256,sha384");
        if (!made.ok()) throw CannotRun(made.error().text);
    }
    auto tpm = tpm_of(directory, options.platform);
    if (tpm) expect_owner_password(*tpm);
    if (!tpm) throw CannotRun("which TPM? On the platform itself: --tpm device:/dev/tpmrm0; for one that QEMU emulates: --emulated");
    return tpm;
}

void run(const Options& options) {
    if (options.platform.directories.size() != 1) throw CannotRun("one platform at a time: give --platform once");
    const std::filesystem::path path = options.platform.directories.front();
    if (options.emulated && options.dry_run && !std::filesystem::is_directory(path / "tpm"))
        throw CannotRun("a dry run makes no emulated TPM, and without one there is nothing to look at");
    const auto directory = or_stop(options.dry_run || options.undo ? PlatformDirectory::open(path) : PlatformDirectory::make(path));
    const auto tpm = tpm_for(directory, options);
    std::vector<Step> steps = tpm_steps(directory, *tpm);
    if (!options.esp.empty()) {
        if (!std::filesystem::is_directory(options.esp)) throw CannotRun(options.esp + " is no directory: mount the EFI system partition first");
        for (Step& step : boot_steps(directory, options.esp, or_stop(boot_files_of(options.build)))) steps.push_back(std::move(step));
    }
    Report report;
    options.undo ? backward(std::move(steps), options, report) : forward(steps, options, report);
    Json rows = Json::array();
    for (const auto& [what, outcome] : report) rows.push_back({{"step", what}, {"outcome", outcome}});
    const auto record = read_record(directory);
    if (options.platform.json)
        std::cout << Json{{"platform", record.ok() ? Json(record.value().platform_id()) : Json()}, {"steps", rows}} << "\n";
    else if (record.ok() && !options.undo)
        std::printf("platform %s\n", record.value().platform_id().c_str());
}

} // namespace

void declare_provision(CLI::App& program, const Defaults& defaults) {
    CLI::App* const command = program.add_subcommand("provision", "take a new platform into the owner's hands: TPM, record, boot files");
    const auto options = std::make_shared<Options>();
    options->build = defaults.build;
    add_platform_options(*command, options->platform, defaults);
    add_owner_password(*command, options->platform);
    command->add_flag("--emulated", options->emulated, "a platform that QEMU emulates: makes its TPM, in DIR/tpm");
    command->add_option("--esp", options->esp, "also put what the platform boots on its EFI system partition, mounted there")->type_name("DIR");
    command->add_option("--build", options->build, "where the boot files are taken from")->type_name("DIR")->capture_default_str();
    command->add_flag("--dry-run", options->dry_run, "only say what would be done");
    command->add_flag("--undo", options->undo, "take everything back but the endorsement key");
    command->callback([options] { run(*options); });
}

} // namespace casemate::owner
