// SPDX-License-Identifier: Apache-2.0
// casemate secret put | approve | list | remove (docs/interfaces/secret.md).
#include "attest/owner/command.hpp"
#include "attest/owner/reference_state.hpp"
#include "attest/owner/sealing.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <memory>
#include <set>
#include <unistd.h>

namespace casemate::owner {
namespace {

using verifier::Json;

struct Options {
    PlatformOptions platform;
    OwnerKeyOptions owner;
    std::string vm, name;
    std::vector<std::string> references;
};

/// A whole secret from standard input, in memory only.
Bytes secret_from_input() {
    if (::isatty(STDIN_FILENO) == 1) throw CannotRun("the secret is read from standard input: ./casemate secret put VM NAME < FILE");
    Bytes bytes;
    for (int each = std::getchar(); each != EOF; each = std::getchar()) {
        bytes.push_back(static_cast<std::uint8_t>(each));
        if (bytes.size() > secret::max_secret)
            throw CannotRun("a secret has at most " + std::to_string(secret::max_secret) + " bytes: seal a key, and encrypt the rest under it");
    }
    if (bytes.empty()) throw CannotRun("nothing came on standard input");
    return bytes;
}

References references_of(const Options& options) {
    References all;
    for (const std::string& file : options.references) all.push_back(or_stop(read_reference(file)));
    return all;
}

void put_on(const std::string& path, ByteView value, const Options& options, const References& references, const cose::Signer& owner) {
    const auto directory = or_stop(PlatformDirectory::open(path));
    const PlatformRecord record = current_record(directory, options.platform);
    SecretBook book = or_stop(read_book(directory));
    const bool replaced = or_stop(put_secret(book, record, options.vm, options.name, value, references, owner));
    or_stop(write_book(directory, book));
    if (options.platform.json)
        std::cout << Json{{"platform", record.platform_id()}, {"vm", options.vm}, {"name", options.name}, {"replaced", replaced},
                          {"approvals", book.approvals(options.vm).size()}, {"epoch", record.epoch}} << "\n";
    else
        std::printf("%s %s (%zu bytes) for %s on platform %.16s, epoch %llu\n", replaced ? "replaced" : "sealed", options.name.c_str(),
                    value.size(), options.vm.c_str(), record.platform_id().c_str(), static_cast<unsigned long long>(record.epoch));
}

void put(const Options& options) {
    const References references = references_of(options);
    const cose::Signer owner = owner_key(options.owner);
    Bytes value = secret_from_input();
    for (const std::string& path : options.platform.directories) put_on(path, value, options, references, owner);
    measure::wipe(value);
}

void approve_on(const std::string& path, const Options& options, const References& references, const cose::Signer& owner) {
    const auto directory = or_stop(PlatformDirectory::open(path));
    const PlatformRecord record = current_record(directory, options.platform);
    SecretBook book = or_stop(read_book(directory));
    std::set<std::string> vms;
    for (const SecretEntry& each : book.secrets())
        if (options.vm.empty() || options.vm == each.vm) vms.insert(each.vm);
    if (vms.empty()) throw CannotRun(path + " has no secret" + (options.vm.empty() ? "" : " for " + options.vm));
    for (const std::string& vm : vms) {
        const int count = or_stop(approve_update(book, record, vm, references, owner));
        if (options.platform.json)
            std::cout << Json{{"platform", record.platform_id()}, {"vm", vm}, {"new", count}, {"last_epoch", record.epoch + 1}} << "\n";
        else
            std::printf("%s on platform %.16s: %d new state%s approved, good until epoch %llu is over\n", vm.c_str(),
                        record.platform_id().c_str(), count, count == 1 ? "" : "s", static_cast<unsigned long long>(record.epoch + 1));
    }
    or_stop(write_book(directory, book));
}

void approve(const Options& options) {
    const References references = references_of(options);
    const cose::Signer owner = owner_key(options.owner);
    for (const std::string& path : options.platform.directories) approve_on(path, options, references, owner);
}

void list(const Options& options) {
    Json all = Json::array();
    for (const std::string& path : options.platform.directories) {
        const auto directory = or_stop(PlatformDirectory::open(path));
        const PlatformRecord record = or_stop(read_record(directory));
        const SecretBook book = or_stop(read_book(directory));
        for (const SecretEntry& each : book.secrets()) {
            Json last_epochs = Json::array();
            for (const ApprovalEntry& approval : book.approvals(each.vm)) last_epochs.push_back(approval.last_epoch);
            all.push_back({{"platform", record.platform_id()}, {"vm", each.vm}, {"name", each.name}, {"epoch", record.epoch},
                           {"approved_until_epochs", last_epochs}});
        }
    }
    if (options.platform.json) {
        std::cout << all << "\n";
        return;
    }
    std::printf("%-16s  %-15s  %-31s  %s\n", "PLATFORM", "VM", "SECRET", "APPROVED UNTIL EPOCH");
    for (const Json& each : all)
        std::printf("%-16.16s  %-15s  %-31s  %s (now %s)\n", each["platform"].get<std::string>().c_str(), each["vm"].get<std::string>().c_str(),
                    each["name"].get<std::string>().c_str(), each["approved_until_epochs"].dump().c_str(), each["epoch"].dump().c_str());
}

void remove(const Options& options) {
    for (const std::string& path : options.platform.directories) {
        const auto directory = or_stop(PlatformDirectory::open(path));
        SecretBook book = or_stop(read_book(directory));
        if (!book.remove(options.vm, options.name)) throw CannotRun(path + " has no secret " + options.name + " for " + options.vm);
        or_stop(write_book(directory, book));
        std::printf("removed %s for %s: VMs that start from now on do not get it\n", options.name.c_str(), options.vm.c_str());
    }
}

void add_signing_options(CLI::App& command, Options& options, const Defaults& defaults) {
    options.references = {defaults.reference};
    add_owner_key(command, options.owner, defaults);
    command.add_option("--reference", options.references, "reference values of a launch to approve; may be given several times")
        ->type_name("FILE")->allow_extra_args(false)->capture_default_str();
}

} // namespace

void declare_secret(CLI::App& program, const Defaults& defaults) {
    CLI::App* const group = program.add_subcommand("secret", "keys that one driver VM on one platform gets, and nobody else");
    group->require_subcommand(1);
    const auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, const char* text, void (*run)(const Options&)) {
        CLI::App* const command = group->add_subcommand(name, text);
        add_platform_options(*command, options->platform, defaults);
        command->callback([options, run] { run(*options); });
        return command;
    };
    CLI::App* const put_command = add("put", "seal what comes on standard input to a VM on each platform", put);
    CLI::App* const remove_command = add("remove", "hand one out no longer", remove);
    CLI::App* const approve_command = add("approve", "approve a further state of the VMs that have secrets: an update, before it is rolled out", approve);
    add("list", "names, never values", list);
    for (CLI::App* const each : {put_command, remove_command}) {
        each->add_option("VM", options->vm, "its name in the policy")->required();
        each->add_option("NAME", options->name, "1 to 31 of a-z 0-9 - _ .")->required();
    }
    approve_command->add_option("--vm", options->vm, "this VM only")->type_name("VM");
    add_signing_options(*put_command, *options, defaults);
    add_signing_options(*approve_command, *options, defaults);
}

} // namespace casemate::owner
