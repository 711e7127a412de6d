// SPDX-License-Identifier: Apache-2.0
// The agent's view of the TPM: what attestation needs and nothing else, over ESAPI [TCG-ESAPI].
// Invariant: between two calls no session and at most two transient objects (EK where it is not persistent, AK)
// are loaded; create() removes what an earlier agent left behind, because /dev/tpm0 has no resource manager.
// Who calls it: protocol.cpp. ESAPI types stay inside tpm_*.cpp.
#pragma once

#include "attest/agent/error.hpp"

#include <cstdint>
#include <map>
#include <memory>

namespace casemate::agent {

struct EndorsementKey {
    std::uint32_t object = 0;  // ESYS_TR
    Bytes certificate{};       // DER
    Bytes public_area{};       // TPM2B_PUBLIC
};

struct AttestationKey {
    std::uint32_t object = 0; // ESYS_TR
    Bytes public_area{};      // TPM2B_PUBLIC
};

struct Quote {
    Bytes attested{};  // TPMS_ATTEST
    Bytes signature{}; // TPMT_SIGNATURE
};

/// Bank name ("sha256") to PCR indices.
using PcrSelection = std::map<std::string, std::vector<unsigned>>;

class Tpm {
public:
    /// `tcti`: "device:/dev/tpm0", or "swtpm:host=127.0.0.1,port=2321" in tests.
    static Outcome<Tpm> create(const std::string& tcti);
    Tpm(Tpm&& other) noexcept;
    ~Tpm();

    /// The manufacturer's EK: certificate from NV, key from its persistent handle or recreated from the template.
    Outcome<EndorsementKey> endorsement_key();
    /// The AK: a primary key of the endorsement hierarchy, the same at each start. verifier-api.md has the template.
    Outcome<AttestationKey> attestation_key();
    /// TPM2_ActivateCredential: proves to the verifier that EK and AK live in one TPM.
    Outcome<Bytes> activate(const EndorsementKey& ek, const AttestationKey& ak, ByteView credential_blob,
                            ByteView encrypted_secret);
    /// What the owner left there for the hypervisor (docs/interfaces/platform-directory.md), in the order to be tried; of no use to the agent.
    std::vector<Bytes> bootstrap_messages();
    Outcome<Quote> quote(const AttestationKey& ak, const PcrSelection& selection, ByteView qualifying_data);

private:
    struct Connection;
    explicit Tpm(std::unique_ptr<Connection> connection);
    Outcome<Done> flush_leftovers(std::uint32_t first_handle);
    Outcome<std::uint32_t> ek_session();
    std::unique_ptr<Connection> connection_;
};

} // namespace casemate::agent
