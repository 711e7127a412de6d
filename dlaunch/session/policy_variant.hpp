// SPDX-License-Identifier: Apache-2.0
// Policies that differ from the build's: compiled and signed with the development owner key, and the reference values that
// belong to them. For tests and measurements; a real policy is compiled by its owner.
#pragma once

#include "dlaunch/model/error.hpp"
#include "dlaunch/session/artefacts.hpp"

#include <vector>

namespace casemate::session {

using Changes = std::vector<std::pair<std::string, std::string>>;

/// `source` with the first occurrence of each `from` replaced by its `to`.
model::Outcome<std::string> changed(std::string source, const Changes& changes);
/// The source of the build's policy.
std::string standard_source(const Artefacts& built);
/// Both at once.
model::Outcome<std::string> changed_source(const Artefacts& built, const Changes& changes);
/// The source without the tables that mention `word`: tables are set apart by empty lines.
std::string without_tables(const std::string& source, const std::string& word);

/// A VM without a device.
struct ClientVm {
    std::string name;
    unsigned core;
    std::string server;     // the driver VM at its only link; empty: it has none
    std::string parameters; // on its command line
    std::string image = "client";
};

/// Its tables, for the end of a source.
std::string client_tables(const ClientVm& client);

/// Writes DIRECTORY/policy.toml and policy.cbor, which it returns.
model::Outcome<std::filesystem::path> compile_policy(const Artefacts& built, const std::filesystem::path& directory,
                                                     const std::string& source);
/// Writes DIRECTORY/reference.json for `policy` with the images of `images`.
model::Outcome<std::filesystem::path> predict(const Artefacts& built, const std::filesystem::path& directory,
                                              const std::filesystem::path& policy, const std::filesystem::path& images);

} // namespace casemate::session
