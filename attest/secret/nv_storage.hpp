// SPDX-License-Identifier: Apache-2.0
// A message of the owner's that stays in the platform's TPM: everybody there reads it, the owner hierarchy writes it. It is where a platform
// without a road has its bootstrap grant from. Host only; locality 0.
// Nothing in it needs hiding or is believed for being there. A power cut while it is replaced leaves none, or one that is not whole.
#pragma once

#include "attest/secret/owner_tpm.hpp"

namespace casemate::secret {

/// The bootstrap grant of the state that runs, and that of an update to come [TCG-PTP: handles, the owner's range].
inline constexpr std::uint32_t bootstrap_index = 0x01800002, next_bootstrap_index = 0x01800003;
inline constexpr std::size_t max_stored = 2048; // bytes of one index that TPMs of the PC Client profile have room for

/// Replaces what store_message() put there before. Refused (TPM_RC_NV_DEFINED) when something else is at that index.
[[nodiscard]] Status<measure::TpmFault> store_message(const OwnerTpm& tpm, std::uint32_t nv_index, ByteView message);
/// Empty when there is none.
[[nodiscard]] Result<Bytes, measure::TpmFault> stored_message(const OwnerTpm& tpm, std::uint32_t nv_index);
/// Also when there is none; something else at that index stays.
[[nodiscard]] Status<measure::TpmFault> remove_message(const OwnerTpm& tpm, std::uint32_t nv_index);

} // namespace casemate::secret
