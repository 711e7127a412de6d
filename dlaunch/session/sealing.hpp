// SPDX-License-Identifier: Apache-2.0
// The owner's part before a session, for tests: what `casemate provision` and `casemate secret put` do, in one call, and an approval that is
// wrong if a test wants one.
#pragma once

#include "dlaunch/model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace casemate::session {

struct SecretFor {
    std::string vm, name;
    std::vector<std::uint8_t> value;
    std::string approved_vm{}; // whose measured identity is approved; empty: the VM's own
};

struct SealingPlan {
    std::filesystem::path platform;  // directory of an emulated platform that is off, with its TPM (docs/interfaces/platform-directory.md)
    std::filesystem::path reference; // reference.json
    std::filesystem::path owner_key; // PEM
};

/// Provisions the platform where that is still to be done, and writes its secrets.json.
Status<model::Error> seal_secrets(const SealingPlan& plan, const std::vector<SecretFor>& secrets);

} // namespace casemate::session
