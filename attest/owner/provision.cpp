// SPDX-License-Identifier: Apache-2.0
// casemate provision: a new platform into the owner's hands, or with --undo out of them again.
#include "attest/owner/command.hpp"
#include "attest/owner/service_steps.hpp"
#include "attest/verifier/json.hpp"

#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/model/tpm_identity.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

namespace casemate::owner {
namespace {

using verifier::Json;

struct Options {
    PlatformOptions platform;
    client::ServiceOptions service;
    Listing listing;
    OwnerKeyOptions owner;
    std::string esp, build, bootstrap, reference;
    bool emulated = false, dry_run = false, undo = false;
};

/// What came of each step: "done", "was done", "to do", "undone", "to undo", "was not done".
using Report = Json; // an array

void note(Report& report, const Options& options, const std::string& what, const char* outcome, const std::string& left = {}) {
    report.push_back({{"step", what}, {"outcome", outcome}});
    if (!left.empty()) report.back()["left"] = left;
    if (options.platform.json) return;
    std::printf("  %-12s  %s\n", outcome, what.c_str());
    if (!left.empty()) std::printf("  %-12s  %s\n", "", left.c_str());
    std::fflush(stdout);
}

void forward(const std::vector<Step>& steps, const Options& options, Report& report) {
    for (const Step& step : steps) {
        const bool was = or_stop(options.dry_run ? step.done() : complete(step));
        note(report, options, step.what, was ? "was done" : options.dry_run ? "to do" : "done");
    }
}

void backward(std::vector<Step> steps, const Options& options, Report& report) {
    std::reverse(steps.begin(), steps.end());
    for (const Step& step : steps) {
        if (!step.undo) continue;
        const bool is = or_stop(options.dry_run ? can_be_taken_back(step) : take_back(step));
        note(report, options, step.what, !is ? "was not done" : options.dry_run ? "to undo" : "undone", step.left ? or_stop(step.left()) : "");
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
    if (!tpm) throw CannotRun("which TPM? On the platform itself: --tpm device:/dev/tpmrm0; for one that QEMU emulates: --emulated");
    expect_owner_password(*tpm);
    return tpm;
}

using Steps = std::vector<Step>;

void append(Steps& steps, Steps more) { std::move(more.begin(), more.end(), std::back_inserter(steps)); }

/// What the service is told; nothing without --url. The bootstrap grant comes before the boot files: the first launch has it.
class ServiceSteps {
public:
    explicit ServiceSteps(const Options& options) : options_{options}, service_{options.service} {
        if (options.bootstrap.empty() || options.undo) return;
        if (options.service.url.empty()) throw CannotRun("a bootstrap grant is the attestation service's: say where it is (--url)");
        wish_ = or_stop(parse_bootstrap(options.bootstrap));
        reference_ = or_stop(read_reference_file(options.reference));
        owner_ = owner_key(options.owner);
    }

    [[nodiscard]] Steps on(const PlatformDirectory& directory, TpmAccess& tpm) {
        Steps steps;
        if (options_.service.url.empty()) return steps;
        steps.push_back(inventory_step(tpm, service_, options_.listing));
        if (owner_) steps.push_back(bootstrap_step(directory, tpm, service_, wish_, reference_, *owner_));
        else if (options_.undo) steps.push_back(bootstrap_undo_step(tpm, service_));
        return steps;
    }

private:
    const Options& options_;
    client::RemoteService service_;
    BootstrapWish wish_;
    Reference reference_;
    std::optional<cose::Signer> owner_;
};

/// A dry run makes no directory: where there is none yet it looks at one that is empty, and goes with `empty`.
PlatformDirectory directory_for(const std::filesystem::path& path, const Options& options, std::optional<model::StateDir>& empty) {
    if (!options.dry_run && !options.undo) return or_stop(PlatformDirectory::make(path));
    if (options.undo || std::filesystem::exists(path)) return or_stop(PlatformDirectory::open(path));
    auto made = model::StateDir::create();
    if (!made.ok()) throw CannotRun(made.error().text);
    empty = std::move(made).value();
    return or_stop(PlatformDirectory::make(empty->path() / "platform"));
}

Steps boot_steps_of(const PlatformDirectory& directory, const Options& options) {
    if (options.esp.empty()) return {};
    if (!std::filesystem::is_directory(options.esp)) throw CannotRun(options.esp + " is no directory: mount the EFI system partition first");
    return boot_steps(directory, options.esp, or_stop(boot_files_of(options.build)));
}

void run(const Options& options) {
    if (options.platform.directories.size() != 1) throw CannotRun("one platform at a time: give --platform once");
    const std::filesystem::path path = options.platform.directories.front();
    if (options.emulated && options.dry_run && !std::filesystem::is_directory(path / "tpm"))
        throw CannotRun("a dry run makes no emulated TPM, and without one there is nothing to look at");
    ServiceSteps service{options};
    std::optional<model::StateDir> empty;
    const PlatformDirectory directory = directory_for(path, options, empty);
    const auto tpm = tpm_for(directory, options);
    Steps steps = tpm_steps(directory, *tpm);
    append(steps, service.on(directory, *tpm));
    append(steps, boot_steps_of(directory, options));
    Report report = Json::array();
    options.undo ? backward(std::move(steps), options, report) : forward(steps, options, report);
    const auto record = read_record(directory);
    if (options.platform.json)
        std::cout << Json{{"platform", record.ok() ? Json(record.value().platform_id()) : Json()}, {"steps", report}} << "\n";
    else if (record.ok() && !options.undo)
        std::printf("platform %s\n", record.value().platform_id().c_str());
}

void add_service(CLI::App& command, Options& options, const Defaults& defaults) {
    client::add_service_options(command, options.service);
    command.add_option("--label", options.listing.label, "what the service calls the platform, at most 64 characters");
    command.add_flag("--without-certificate", options.listing.without_certificate,
                     "the platform may enrol there without a certificate of its endorsement key: this machine is the one that you mean");
    command.add_option("--bootstrap", options.bootstrap, "also the service's bootstrap grant, sealed into the TPM: the device that is the platform's road to the service, and its VM")
        ->type_name("DEVICE=VM");
    add_owner_key(command, options.owner, defaults);
    command.add_option("--reference", options.reference, "for --bootstrap: reference values of the launch, which the service accepts")->type_name("FILE")->capture_default_str();
}

} // namespace

void declare_provision(CLI::App& program, const Defaults& defaults) {
    CLI::App* const command = program.add_subcommand("provision", "take a new platform into the owner's hands: TPM, record, attestation service, boot files");
    const auto options = std::make_shared<Options>();
    options->build = defaults.build;
    options->reference = defaults.reference;
    add_platform_options(*command, options->platform, defaults);
    add_owner_password(*command, options->platform);
    command->add_flag("--emulated", options->emulated, "a platform that QEMU emulates: makes its TPM, in DIR/tpm");
    command->add_option("--esp", options->esp, "also put what the platform boots on its EFI system partition, mounted there")->type_name("DIR");
    command->add_option("--build", options->build, "where the boot files are taken from")->type_name("DIR")->capture_default_str();
    add_service(*command, *options, defaults);
    command->add_flag("--dry-run", options->dry_run, "only say what would be done");
    command->add_flag("--undo", options->undo, "take everything back but the endorsement key");
    command->callback([options] { run(*options); });
}

} // namespace casemate::owner
