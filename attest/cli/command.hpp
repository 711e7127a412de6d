// SPDX-License-Identifier: Apache-2.0
// What the subcommands of casemate-attest share. A subcommand declares itself on the program and runs as its callback; it
// ends normally (status 0), with Refused (1), or with CannotRun (2).
#pragma once

#include <stdexcept>
#include <string>

namespace CLI {
class App;
}

namespace casemate::cli {

/// The work was done and the answer is no; everything has been said.
struct Refused {};

/// One sentence for the user.
struct CannotRun : std::runtime_error {
    using std::runtime_error::runtime_error;
};

void declare_platform(CLI::App& program);
void declare_grant(CLI::App& program);
void declare_bootstrap(CLI::App& program);
void declare_reference(CLI::App& program);
void declare_policy(CLI::App& program);
void declare_key(CLI::App& program);
void declare_token(CLI::App& program);
void declare_result(CLI::App& program);
void declare_evidence(CLI::App& program);
void declare_audit(CLI::App& program);

} // namespace casemate::cli
