// SPDX-License-Identifier: Apache-2.0
// PCR values, read from the TPM with bare TPM2_PCR_Read commands and predicted with OpenSSL: deliberately not the
// project's own measurement library, so that an error there cannot hide one in the model.
#pragma once

#include "dlaunch/model/platform.hpp"

namespace casemate::model::test {

struct Bank {
    const char* name;         // as OpenSSL and swtpm_setup know it
    std::uint16_t algorithm;  // TPM_ALG_ID
    std::size_t digest_size;
};
inline constexpr Bank banks[] = {
    {"sha1", 0x0004, 20}, {"sha256", 0x000B, 32}, {"sha384", 0x000C, 48}, {"sha512", 0x000D, 64}};

using Digest = std::vector<std::uint8_t>;

/// Empty when the bank is not active.
Digest read_pcr(Platform& platform, const Bank& bank, unsigned index);
/// H(0^n || H(loader)).
Digest predict_pcr17(const Bank& bank, ByteView loader);

} // namespace casemate::model::test
