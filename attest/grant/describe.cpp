// SPDX-License-Identifier: Apache-2.0
// The refusals of grants as sentences, for the agent, the verifier and the CLI. Host only.
#include "attest/grant/grant.hpp"

namespace casemate::grant {

const char* describe(GrantError error) {
    switch (error) {
    case GrantError::none: return "accepted";
    case GrantError::shape: return "not a grant message";
    case GrantError::not_canonical: return "not the canonical encoding";
    case GrantError::algorithm: return "the algorithm is not ES256";
    case GrantError::signature: return "not signed by the verifier named in the policy";
    case GrantError::launch: return "for another launch";
    case GrantError::no_such_gate: return "no gate is open for this device and VM";
    case GrantError::stale_gate_nonce: return "the gate has changed since the evidence was made";
    case GrantError::vm_id: return "for a VM that may not hold this device";
    case GrantError::device: return "for a device that is not in the policy";
    case GrantError::epoch: return "for another policy epoch";
    case GrantError::lease: return "the lease is longer than the policy allows";
    case GrantError::rights: return "the rights are more than the policy allows";
    case GrantError::used_before: return "used before";
    case GrantError::evidence_order: return "not on newer evidence than the last one";
    case GrantError::not_assigned: return "the device is not assigned under this grant";
    case GrantError::tainted: return "the device was held by another image and could not be reset";
    case GrantError::launch_not_measured: return "this launch was not measured";
    case GrantError::type: return "neither grant, renewal, revocation nor bootstrap grant";
    case GrantError::log_full: return "the event log is full";
    case GrantError::evidence_age: return "the evidence is older than the lease";
    case GrantError::not_opened: return "a bootstrap grant that this platform's TPM has not opened";
    case GrantError::bootstrap_late: return "a bootstrap grant after another grant of this launch";
    }
    return "unknown reason";
}

} // namespace casemate::grant
