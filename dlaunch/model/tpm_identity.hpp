// SPDX-License-Identifier: Apache-2.0
// Makes the emulated TPM as a manufacturer would: TPM 2.0 state with endorsement keys, an EK certificate and a
// platform certificate issued by a certificate authority of its own that lives in the same directory.
//
//   <dir>/tpm2-00.permall     swtpm's state
//   <dir>/ca/                 the authority: root certificate, issuer certificate, their keys
//   <dir>/ek.crt              EK certificate, DER: RSA-2048 (what swtpm_setup writes to NV 0x01c00002)
//   <dir>/ca.pem              issuer and root certificate: what a verifier is to trust
//
// Invariant: nothing outside <dir> is written. A directory that has a TPM already is used as it is.
#pragma once

#include "dlaunch/model/error.hpp"

#include <filesystem>

namespace casemate::model {

struct TpmIdentity {
    std::filesystem::path directory;
    std::filesystem::path ek_certificate;
    std::filesystem::path ca_certificates;
};

/// `banks` as swtpm_setup takes them, for example "sha256,sha384"; ignored for an existing TPM.
Outcome<TpmIdentity> ensure_tpm(const std::filesystem::path& directory, const std::string& banks);

} // namespace casemate::model
