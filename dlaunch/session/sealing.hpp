// SPDX-License-Identifier: Apache-2.0
// The owner's part before a session, for tests: what `casemate provision` and `casemate secret put` do, in one call, and an approval that is
// wrong if a test wants one.
#pragma once

#include "dlaunch/model/error.hpp"
#include "dlaunch/session/verifier_client.hpp"

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

/// A device whose VM is the road to the verifier: its bootstrap grant is asked for, sealed and put into the platform's TPM (docs/adr/0029).
struct BootstrapFor {
    std::string vm, device; // "0000:00:03.0"
};

/// The verifier lists the platform and signs; the rest is what `casemate provision` and `casemate bootstrap put` do.
Status<model::Error> seal_bootstrap(const SealingPlan& plan, const VerifierClient& verifier, const BootstrapFor& wish);

/// Provisions the platform where that is still to be done, and writes its secrets.json.
Status<model::Error> seal_secrets(const SealingPlan& plan, const std::vector<SecretFor>& secrets);

} // namespace casemate::session
