// SPDX-License-Identifier: Apache-2.0
// A bootstrap grant sealed to one platform for one launch (docs/adr/0029): what the agent there hands to the hypervisor as it is
// (control operation 9, docs/interfaces/control.md). No TPM is needed. Called by `casemate bootstrap`, `casemate provision` and sessions.
#pragma once

#include "attest/grant/grant.hpp"
#include "attest/owner/platform_record.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::owner {

/// A verifier's bootstrap grant, whose device it is for, and the name of the VM that gets it in that launch.
struct BootstrapGrant {
    grant::Claims claims;
    std::string vm;
};

/// Refused unless it is a bootstrap grant by the verifier that the reference's policy names, for this platform, and that policy lets its
/// VM have its device so.
[[nodiscard]] Outcome<BootstrapGrant> open_bootstrap(const PlatformRecord& platform, ByteView grant, const verifier::Json& reference);

/// `grant` as the verifier signed it, sealed for the state that `reference` predicts, until the record's epoch is over. Refused unless
/// the policy of the reference is this owner's, and by open_bootstrap().
[[nodiscard]] Outcome<Bytes> seal_bootstrap(const PlatformRecord& platform, ByteView grant, const verifier::Json& reference, const cose::Signer& owner);

/// The grant in a message of seal_bootstrap(). Refused unless this owner (SEC1 point) made all of it for that platform, in the state that
/// `reference` predicts, and the record's epoch has not ended it. Whether the seal holds this grant only the TPM knows.
[[nodiscard]] Outcome<BootstrapGrant> sealed_bootstrap(const PlatformRecord& platform, ByteView message, const verifier::Json& reference, ByteView owner);

} // namespace casemate::owner
