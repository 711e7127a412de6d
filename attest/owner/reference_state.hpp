// SPDX-License-Identifier: Apache-2.0
// The state that a set of reference values predicts (reference.json, docs/interfaces/policy.md), as far as a secret's approval needs it.
#pragma once

#include "attest/owner/error.hpp"
#include "attest/secret/policy_digest.hpp"
#include "attest/verifier/json.hpp"
#include "policy/model/policy.hpp"

#include <memory>

namespace casemate::owner {

struct Reference {
    verifier::Json values;
    std::string id; // what the attestation service calls the set, once it was given this file
};
/// From a file of the owner's own, of at most 1 MiB.
[[nodiscard]] Outcome<Reference> read_reference_file(const std::string& path);
/// The values alone.
[[nodiscard]] Outcome<verifier::Json> read_reference(const std::string& path);
/// Whether this key (SEC1 point) is the owner's of that launch's policy, or the approval key of its owners: the hypervisor takes secrets and approvals of no other.
[[nodiscard]] Status<Error> expect_owner(const verifier::Json& reference, ByteView owner);
/// Whether that launch's policy names the driver VM and lets it have the secret: what the hypervisor will ask.
[[nodiscard]] Status<Error> expect_receiver(const verifier::Json& reference, const std::string& vm, const std::string& secret);
/// That launch's policy, and in it the name of the VM with that identity: "" when there is none.
[[nodiscard]] Outcome<std::unique_ptr<policy::Policy>> policy_of(const verifier::Json& reference);
[[nodiscard]] std::string vm_named_by(const verifier::Json& reference, const secret::Digest& vm_id);
/// PCR 17 and 18 of the launch and the identity of `vm`; the epoch counter is left to the caller.
[[nodiscard]] Outcome<secret::Circumstances> circumstances_of(const verifier::Json& reference, const std::string& vm);

} // namespace casemate::owner
