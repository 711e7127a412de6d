// SPDX-License-Identifier: Apache-2.0
// What the subcommands of casemate-owner share. A subcommand declares itself on the program and runs as its callback; it ends normally
// (status 0) or with CannotRun (1). main.cpp turns wrong usage into 2.
#pragma once

#include "attest/owner/error.hpp"
#include "attest/owner/platform_record.hpp"
#include "attest/owner/tpm_access.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace casemate::owner {

/// One sentence for the user.
struct CannotRun : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The value, or its sentence thrown.
template <typename T>
T or_stop(Outcome<T> outcome) {
    if (!outcome.ok()) throw CannotRun(outcome.error().text);
    return std::move(outcome).value();
}
inline void or_stop(Status<Error> status) {
    if (!status.ok()) throw CannotRun(status.error().text);
}

/// Where things are when the options do not say: what ./casemate passes.
struct Defaults {
    std::string platform, owner_key, reference, build;
};

struct PlatformOptions {
    std::vector<std::string> directories;
    std::string tpm; // empty: DIR/tpm where that is there
    std::string owner_password_file; // empty: the owner hierarchy has no password
    bool json = false;
};
void add_platform_options(CLI::App& command, PlatformOptions& options, const Defaults& defaults);
/// For those that ask of a TPM what its owner alone may.
void add_owner_password(CLI::App& command, PlatformOptions& options);

/// The owner's key, or his approval key: in a file or in a device (docs/interfaces/grant-key.md).
struct OwnerKeyOptions {
    std::string key, secret_file;
};
void add_owner_key(CLI::App& command, OwnerKeyOptions& options, const Defaults& defaults);
[[nodiscard]] cose::Signer owner_key(const OwnerKeyOptions& options);

/// The TPM of a platform directory: as the options say, or DIR/tpm; nothing when there is neither.
[[nodiscard]] std::unique_ptr<TpmAccess> tpm_of(const PlatformDirectory& directory, const PlatformOptions& options);
/// The record with the epoch as the TPM has it now, where the TPM is at hand.
[[nodiscard]] PlatformRecord current_record(const PlatformDirectory& directory, const PlatformOptions& options);

void declare_secret(CLI::App& program, const Defaults& defaults);
void declare_bootstrap(CLI::App& program, const Defaults& defaults);
void declare_epoch(CLI::App& program, const Defaults& defaults);
void declare_provision(CLI::App& program, const Defaults& defaults);

} // namespace casemate::owner
