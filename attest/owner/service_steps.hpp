// SPDX-License-Identifier: Apache-2.0
// Provisioning's part at the attestation service: the platform is expected there, and has its bootstrap grant in its TPM
// (docs/interfaces/platform-directory.md). Nothing of it is kept in the platform's directory: the service and the TPM are asked what is
// done, so a run that a power cut ended is run again, and finds a grant that it had got and not sealed yet.
#pragma once

#include "attest/client/service.hpp"
#include "attest/owner/provisioning.hpp"
#include "attest/owner/reference_state.hpp"

namespace casemate::owner {

struct Listing {
    std::string label;
    bool without_certificate = false; // the owner's word that this machine is the one: it may enrol without a certificate of its key
};
/// Undone, it is expected no more; that it has enrolled stays.
[[nodiscard]] Step inventory_step(TpmAccess& tpm, client::Service& service, const Listing& listing);

/// A device for a VM before anybody has looked.
struct BootstrapWish {
    std::string device; // as the service takes it: 0000:00:03.0
    std::string vm;
};
/// "00:03.0=net0" or "0000:00:03.0=net0".
[[nodiscard]] Outcome<BootstrapWish> parse_bootstrap(const std::string& text);

/// Done when the TPM has such a grant, sealed by this owner for the launch of that reference set in the present epoch, and the service
/// has not withdrawn it. Its work needs the reference set to be accepted at the service, and the platform to be expected there.
[[nodiscard]] Step bootstrap_step(const PlatformDirectory& directory, TpmAccess& tpm, client::Service& service, const BootstrapWish& wish, const Reference& reference,
                                  const cose::Signer& owner);
/// For going back, which needs no wish: all bootstrap grants of the platform are withdrawn, and those in its TPM removed.
[[nodiscard]] Step bootstrap_undo_step(TpmAccess& tpm, client::Service& service);

} // namespace casemate::owner
