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
/// Makes that key from the template and keeps it at `handle`, if it is not there. Its modulus.
[[nodiscard]] Result<Bytes, measure::TpmFault> ensure_endorsement_key(const TpmExchange& ask, std::uint32_t handle = 0x81010001);
/// The manufacturer's certificate for it, DER; empty when he gave none [TCG-EK 2.2.1.4].
[[nodiscard]] Result<Bytes, measure::TpmFault> read_ek_certificate(const TpmExchange& ask, std::uint32_t nv_index = 0x01c00002);
/// half_made: a power cut before it was counted up first. foreign: something else is at that index.
enum class CounterState { absent, half_made, good, foreign };
[[nodiscard]] Result<CounterState, measure::TpmFault> state_of_counter(const TpmExchange& ask, std::uint32_t nv_index);
/// Makes the counter if there is none, and counts it up once then. Its value.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> ensure_epoch_counter(const TpmExchange& ask, std::uint32_t nv_index);
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> read_epoch(const TpmExchange& ask, std::uint32_t nv_index);
/// All approvals up to the value before end with this. The new value.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> count_epoch_up(const TpmExchange& ask, std::uint32_t nv_index);
/// As often as it takes; not at all when the counter is there already. Its value then.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> count_epoch_up_to(const TpmExchange& ask, std::uint32_t nv_index, std::uint64_t value);
[[nodiscard]] Status<measure::TpmFault> remove_epoch_counter(const TpmExchange& ask, std::uint32_t nv_index);

} // namespace casemate::secret
