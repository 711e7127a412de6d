// SPDX-License-Identifier: Apache-2.0
// What the subcommands of casemate-policy share: files, sources and bundles with their reasons on standard error. Host only.
#pragma once

#include "policy/compiler/inventory.hpp"
#include "policy/compiler/toml_source.hpp"
#include "policy/model/bundle.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace casemate::policy {

using Bytes = std::vector<std::uint8_t>;
using PublicKey = std::array<std::uint8_t, public_key_size>;

/// Prints why; 1, the exit status.
int refuse(const std::string& what);
/// Prints each problem with its line; true when there is none.
bool report(const std::string& path, const std::vector<Problem>& problems);

[[nodiscard]] std::optional<std::string> read_file(const std::string& path);
/// Whole or not at all: written aside, then renamed.
[[nodiscard]] bool write_file(const std::string& path, const Bytes& bytes);

/// The policy, or nothing after the reasons were printed. `inventory_file`: empty for none.
[[nodiscard]] std::unique_ptr<Source> read_policy(const std::string& path, const PublicKey& grant_key, const std::string& inventory_file);

/// A bundle whose signatures hold, and its policy. `complete`: there are as many as its owners demand.
struct Opened {
    Bytes bytes;
    std::optional<Bundle> bundle;
    Policy policy;
    bool complete = false;
};
/// Nothing after the reason was printed.
[[nodiscard]] std::unique_ptr<Opened> open_file(const std::string& path);

/// Adds compile and sign (signing.cpp); `status` is theirs once one of them ran.
void declare_signing(CLI::App& program, const std::string& inventory_file, int& status);

} // namespace casemate::policy
