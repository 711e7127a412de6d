// SPDX-License-Identifier: Apache-2.0
// The policy of a sealed secret, computed as a TPM computes it [TPM2-P1 19.7], [TPM2-P3 23]:
//
//     PolicyAuthorize(owner key, "casemate vm NAME")        in the object, for ever
//        approves   PolicyPCR(17, 18, 22) AND PolicyLocality(2) AND PolicyNV(epoch counter <= approval's)
//
// An update of an image, the policy or the hypervisor is one more approval; the object is never sealed again. Counting the epoch
// counter up ends all older approvals.
// Pure. The twin that makes the TPM do the same is release.cpp.
#pragma once

#include "attest/secret/tpm_areas.hpp"

namespace casemate::secret {

using Digest = measure::Sha256Digest;

/// TPML_PCR_SELECTION: bank SHA-256, PCR 17, 18 and 22.
inline constexpr std::array<std::uint8_t, 10> pcr_selection{0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 0x46};
inline constexpr std::uint8_t locality_two = 1 << 2; // TPMA_LOCALITY
inline constexpr std::uint16_t operation_unsigned_le = 9; // TPM_EO [TPM2-P2 T23]

/// The state of the platform in which a secret may be used.
struct Circumstances {
    Digest pcr_17{}, pcr_18{}; // bank SHA-256
    Digest vm_id{};
    std::uint32_t nv_index = 0;  // of the epoch counter
    std::uint64_t last_epoch = 0; // the highest value of the counter
};

/// PCR 22 while a secret of that VM is unsealed: reset, then extended once.
[[nodiscard]] Digest expected_pcr_22(const Digest& vm_id);
/// What the owner approves.
[[nodiscard]] Digest expected_policy(const Circumstances& circumstances);

/// "casemate vm NAME": policyRef. `name` is at most 31 characters.
class PolicyReference {
public:
    explicit PolicyReference(std::string_view vm);
    [[nodiscard]] ByteView view() const { return ByteView{bytes_}.first(size_); }

private:
    std::array<std::uint8_t, 48> bytes_{};
    std::size_t size_ = 0;
};

/// The authPolicy of every secret for VMs of that name under that owner (SEC1 point).
[[nodiscard]] Digest expected_auth_policy(ByteView owner_point, std::string_view vm);
/// What the owner's key signs: aHash of PolicyAuthorize.
[[nodiscard]] Digest approval_digest(const Digest& approved_policy, std::string_view vm);

} // namespace casemate::secret
