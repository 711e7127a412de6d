// SPDX-License-Identifier: Apache-2.0
// The owner's part of a bootstrap grant (docs/adr/0029): what the verifier signed is looked at, sealed to the platform and approved for one
// state, and becomes what the agent hands to the hypervisor as it is (docs/interfaces/control.md, operation 9).
#pragma once

#include "attest/owner/platform_record.hpp"
#include "attest/secret/seal.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::owner {

/// `grant`: the verifier's message, from anybody. Refused unless it is a bootstrap grant by the verifier that the policy names, for this
/// platform, and for a VM, device and time that the policy of that launch allows.
[[nodiscard]] Outcome<Bytes> seal_bootstrap(const PlatformRecord& platform, ByteView grant, const verifier::Json& reference,
                                            const cose::Signer& owner);

} // namespace casemate::owner
