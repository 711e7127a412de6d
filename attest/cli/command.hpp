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

void declare_audit(CLI::App& program);

} // namespace casemate::cli
