// SPDX-License-Identifier: Apache-2.0
// The TPM structures that a sealed secret stands on, with all their constants: what a TPM hashes to names and policies, byte by
// byte, so that the owner computes them without a TPM. [TPM2-P2 12], [TCG-EK B.3.3]
// Who calls it: seal.cpp and policy_digest.cpp on the owner's side, release.cpp in the hypervisor.
#pragma once

#include "dlaunch/measure/tpm_session.hpp"

namespace casemate::secret {

/// A structure of at most 320 bytes.
class TpmArea {
public:
    [[nodiscard]] ByteView view() const { return ByteView{bytes_}.first(size_); }
    [[nodiscard]] measure::TpmName name() const { return measure::name_of_public(view()); }

private:
    template <typename Write>
    friend TpmArea make_area(Write write);
    std::array<std::uint8_t, 320> bytes_{};
    std::size_t size_ = 0;
};

/// TPMT_PUBLIC of the endorsement key by template L-1 (RSA 2048); its SHA-256 is the platform's id.
[[nodiscard]] TpmArea endorsement_key(ByteView modulus);
/// TPMT_PUBLIC of the owner's P-256 key, for checking signatures. `point`: SEC1 uncompressed.
[[nodiscard]] TpmArea owner_key(ByteView point);
/// TPMT_PUBLIC of a sealed secret: `unique` binds it to its bytes. Nobody may use it but by its policy; no lock-out counts for it.
[[nodiscard]] TpmArea sealed_object(const measure::Sha256Digest& auth_policy, const measure::Sha256Digest& unique);
/// TPMS_NV_PUBLIC of the platform's epoch counter, once written: everybody reads it, only the owner counts it up.
[[nodiscard]] TpmArea epoch_counter(std::uint32_t nv_index);

} // namespace casemate::secret
