// SPDX-License-Identifier: Apache-2.0
// The owner's part before a session: a platform's TPM gets its epoch counter, and secrets are sealed to VMs on that platform, with an
// approval for the state that the reference values predict (docs/interfaces/secret.md). The result is what the relay hands out.
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
    std::filesystem::path tpm;       // state directory of a TPM that is off
    std::filesystem::path reference; // reference.json
    std::filesystem::path owner_key; // PEM
};

/// Writes `out`, {"secrets": [{vm, name, sealed, approvals}]}.
Status<model::Error> seal_secrets(const SealingPlan& plan, const std::vector<SecretFor>& secrets, const std::filesystem::path& out);

} // namespace casemate::session
