// SPDX-License-Identifier: Apache-2.0
// See evidence_bundle.hpp.
#include "attest/evidence/evidence_bundle.hpp"
#include "dlaunch/measure/crypto.hpp"

namespace casemate::attest {

measure::Sha256Digest qualifying_data(ByteView nonce, const measure::LaunchId& launch_id,
                                      std::string_view challenge_id) {
    // SAFETY: any object may be viewed as bytes.
    const ByteView id{reinterpret_cast<const std::uint8_t*>(challenge_id.data()), challenge_id.size()};
    measure::Hasher hasher{measure::TPM_ALG_ID::SHA256};
    hasher.update(nonce);
    hasher.update(launch_id);
    hasher.update(measure::sha256(id));
    const measure::Digest digest = hasher.finish();
    measure::Sha256Digest result;
    std::memcpy(result.data(), digest.storage.data(), result.size());
    return result;
}

} // namespace casemate::attest
