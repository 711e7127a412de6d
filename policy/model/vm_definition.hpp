// SPDX-License-Identifier: Apache-2.0
// The canonical definition of a VM and its digest, vm_id: what PCR 19 names and what a grant is made out to.
// Who calls it: the hypervisor (from the policy and the images it loaded), the image builder and the verifier
// (from the same inputs, to predict it). Wire form: docs/interfaces/ledger.md.
#pragma once

#include "dlaunch/measure/crypto.hpp"
#include "policy/model/policy.hpp"

namespace casemate::policy {

inline constexpr std::size_t max_vm_definition = 1024 + 160;

struct ImageDigests {
    measure::Sha256Digest kernel;
    measure::Sha256Digest initrd;
};

/// What was written of `out` (max_vm_definition bytes suffice).
[[nodiscard]] ByteView encode_vm_definition(const Vm& vm, const ImageDigests& images, ByteSpan out);
[[nodiscard]] inline measure::Sha256Digest vm_id(ByteView vm_definition) { return measure::sha256(vm_definition); }

} // namespace casemate::policy
