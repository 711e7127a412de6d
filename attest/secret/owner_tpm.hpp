// SPDX-License-Identifier: Apache-2.0
// What an owner asks of a platform's TPM when the platform is provisioned, before anybody else runs there: whose it is, and an epoch
// counter. Host only; locality 0; the owner hierarchy's password is still empty. [TPM2-P3 31]
#pragma once

#include "attest/secret/seal.hpp"

#include <functional>

namespace casemate::secret {

/// One command and its response.
using TpmExchange = std::function<Bytes(ByteView command)>;

inline constexpr std::uint32_t epoch_counter_index = 0x01800001; // in the owner's range [TCG-PTP: handles]

/// The modulus of the RSA endorsement key at `handle`, which must be by template L-1.
[[nodiscard]] Result<Bytes, measure::TpmFault> read_endorsement_key(const TpmExchange& ask, std::uint32_t handle = 0x81010001);
/// Makes the counter if there is none, and counts it up once then. Its value.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> ensure_epoch_counter(const TpmExchange& ask, std::uint32_t nv_index);
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> read_epoch(const TpmExchange& ask, std::uint32_t nv_index);
/// All approvals up to the value before end with this. The new value.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> count_epoch_up(const TpmExchange& ask, std::uint32_t nv_index);
[[nodiscard]] Status<measure::TpmFault> remove_epoch_counter(const TpmExchange& ask, std::uint32_t nv_index);

} // namespace casemate::secret
