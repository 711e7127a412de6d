// SPDX-License-Identifier: Apache-2.0
// See command.hpp.
#include "attest/owner/command.hpp"

#include "attest/keystore/open_key.hpp"
#include "attest/owner/epoch_counter.hpp"

#include <CLI/CLI.hpp>

namespace casemate::owner {

void add_platform_options(CLI::App& command, PlatformOptions& options, const Defaults& defaults) {
    options.directories = {defaults.platform};
    command.add_option("--platform", options.directories, "the platform's directory; may be given several times")
        ->type_name("DIR")->allow_extra_args(false)->capture_default_str();
    command.add_option("--tpm", options.tpm, "the platform's TPM, by its TCTI (device:/dev/tpmrm0); that of an emulated platform is in DIR/tpm")
        ->type_name("TCTI");
    command.add_flag("--json", options.json, "print JSON");
}

void add_owner_password(CLI::App& command, PlatformOptions& options) {
    command.add_option("--owner-password-file", options.owner_password_file, "file with the password of the TPM's owner hierarchy, where it has one; readable by you only")
        ->type_name("FILE");
}

void add_owner_key(CLI::App& command, OwnerKeyOptions& options, const Defaults& defaults) {
    options.key = defaults.owner_key;
    command.add_option("--owner-key", options.key, "the owner's private key, or the owners' approval key: PEM file, pkcs11:... or tpm:...")->type_name("KEY")->capture_default_str();
    command.add_option("--owner-key-secret", options.secret_file, "file with the PIN or password of that device, mode 0600")->type_name("FILE");
}

cose::Signer owner_key(const OwnerKeyOptions& options) {
    auto key = keystore::open_key(options.key, options.secret_file);
    if (!key.ok()) throw CannotRun(key.error());
    return std::move(key).value();
}

std::unique_ptr<TpmAccess> tpm_of(const PlatformDirectory& directory, const PlatformOptions& options) {
    const auto emulated = directory.path() / "tpm";
    if (options.tpm.empty() && !std::filesystem::is_directory(emulated)) return nullptr;
    keystore::Secret password;
    if (!options.owner_password_file.empty()) {
        auto read = keystore::read_password(options.owner_password_file, secret::max_owner_password);
        if (!read.ok()) throw CannotRun(read.error());
        password = std::move(read).value();
    }
    auto tpm = or_stop(open_tpm(options.tpm.empty() ? emulated.string() : options.tpm));
    tpm->take_password(std::move(password));
    return tpm;
}

PlatformRecord current_record(const PlatformDirectory& directory, const PlatformOptions& options) {
    const auto tpm = tpm_of(directory, options);
    return or_stop(tpm ? brought_up_to_date(directory, *tpm) : read_record(directory));
}

} // namespace casemate::owner
