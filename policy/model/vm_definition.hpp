// SPDX-License-Identifier: Apache-2.0
// The definition of a policy's VM together with the images that were found for it. Its encoding is measured into
// PCR 19; the digest of that, vm_id, is what a grant is made out to.
// Who calls it: the hypervisor (images as loaded), the image builder and the verifier (to predict).
#pragma once

#include "dlaunch/measure/custody_types.hpp"
#include "policy/model/policy.hpp"

namespace casemate::policy {

struct ImageDigests {
    measure::Sha256Digest kernel{};
    measure::Sha256Digest initrd{};
};

inline constexpr std::size_t max_vm_definition = measure::max_vm_definition;

/// With views into `vm`.
[[nodiscard]] measure::VmDefinition vm_definition(const Vm& vm, const ImageDigests& images);

/// What was written of `out` (max_vm_definition bytes suffice).
[[nodiscard]] inline ByteView encode_vm_definition(const Vm& vm, const ImageDigests& images, ByteSpan out) {
    return measure::encode(out, vm_definition(vm, images));
}
[[nodiscard]] inline measure::VmId vm_id(ByteView definition) { return measure::vm_id_of(definition); }

} // namespace casemate::policy
