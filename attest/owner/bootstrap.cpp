// SPDX-License-Identifier: Apache-2.0
// casemate bootstrap put | show | remove: the bootstrap grant in a platform's TPM (docs/interfaces/platform-directory.md).
#include "attest/owner/bootstrap_seal.hpp"
#include "attest/owner/command.hpp"
#include "attest/owner/epoch_counter.hpp"
#include "attest/owner/reference_state.hpp"
#include "attest/secret/nv_storage.hpp"
#include "attest/verifier/encoding.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

namespace casemate::owner {
namespace {

using verifier::Json;

struct Options {
    PlatformOptions platform;
    OwnerKeyOptions owner;
    std::string reference;
    bool next = false;

    [[nodiscard]] std::uint32_t index() const { return next ? secret::next_bootstrap_index : secret::bootstrap_index; }
};

struct Opened {
    PlatformDirectory directory;
    std::unique_ptr<TpmAccess> tpm;
};

Opened open(const Options& options) {
    if (options.platform.directories.size() != 1) throw CannotRun("one platform at a time: give --platform once");
    Opened opened{or_stop(PlatformDirectory::open(options.platform.directories.front())), nullptr};
    opened.tpm = tpm_of(opened.directory, options.platform);
    if (!opened.tpm) throw CannotRun("the TPM is not at hand: run this on the platform, with --tpm device:/dev/tpmrm0");
    return opened;
}

/// What the verifier answered: an object with "cose".
Bytes grant_from_input() {
    const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
    const auto object = verifier::parse_object(text);
    const auto bytes = object.ok() && object.value().contains("cose") && object.value()["cose"].is_string()
                           ? verifier::from_base64(object.value()["cose"].get<std::string>())
                           : std::nullopt;
    if (!bytes) throw CannotRun("standard input is not the verifier's answer: casemate attest bootstrap issue ... --json | casemate bootstrap put");
    return *bytes;
}

void expect(const Status<measure::TpmFault>& done, const TpmAccess& tpm, const char* what) {
    if (!done.ok()) or_stop(Status<Error>{tpm.refusal(std::string{"does not "} + what + " the bootstrap grant", done.error())});
}

void put(const Options& options) {
    const cose::Signer owner = owner_key(options.owner);
    const Json reference = or_stop(read_reference(options.reference));
    const Bytes grant = grant_from_input();
    const Opened opened = open(options);
    const PlatformRecord record = or_stop(brought_up_to_date(opened.directory, *opened.tpm));
    const Bytes message = or_stop(seal_bootstrap(record, grant, reference, owner));
    expect(secret::store_message(opened.tpm->asker(), options.index(), message), *opened.tpm, "keep");
    if (options.platform.json)
        std::cout << Json{{"platform", record.platform_id()}, {"bytes", message.size()}, {"epoch", record.epoch}} << "\n";
    else
        std::printf("sealed to platform %.16s: %zu bytes in its TPM, good until epoch %llu is over\n", record.platform_id().c_str(), message.size(),
                    static_cast<unsigned long long>(record.epoch));
}

void show(const Options& options) {
    const Opened opened = open(options);
    const auto message = secret::stored_message(opened.tpm->asker(), options.index());
    const std::size_t size = message.ok() ? message.value().size() : 0;
    if (options.platform.json) std::cout << Json{{"bytes", size}} << "\n";
    else std::printf(size == 0 ? "no bootstrap grant is in the TPM\n" : "a bootstrap grant of %zu bytes is in the TPM\n", size);
}

void remove(const Options& options) {
    const Opened opened = open(options);
    expect(secret::remove_message(opened.tpm->asker(), options.index()), *opened.tpm, "remove");
    std::puts("no bootstrap grant is in the TPM any more; copies of it go on until the epoch is counted up");
}

} // namespace

void declare_bootstrap(CLI::App& program, const Defaults& defaults) {
    CLI::App* const group = program.add_subcommand("bootstrap", "the grant by which a platform gets the device that is its road to the verifier");
    group->require_subcommand(1);
    const auto options = std::make_shared<Options>();
    options->reference = defaults.reference;
    const auto add = [&](const char* name, const char* text, void (*run)(const Options&)) {
        CLI::App* const command = group->add_subcommand(name, text);
        add_platform_options(*command, options->platform, defaults);
        command->add_flag("--next", options->next, "the second place: of an update, before it is rolled out");
        command->callback([options, run] { run(*options); });
        return command;
    };
    CLI::App* const put_command = add("put", "seal the verifier's answer on standard input to the platform, into its TPM", put);
    add_owner_key(*put_command, options->owner, defaults);
    put_command->add_option("--reference", options->reference, "reference values of the launch that it is for")->type_name("FILE")->capture_default_str();
    add("show", "is there one?", show);
    CLI::App* const remove_command = add("remove", "take it out of the TPM", remove);
    for (CLI::App* const each : {put_command, remove_command}) add_owner_password(*each, options->platform);
}

} // namespace casemate::owner
