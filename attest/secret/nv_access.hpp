// SPDX-License-Identifier: Apache-2.0
// Commands to a TPM at locality 0, and what of its NV memory the owner's side needs of them. Host only.
// Who calls it: owner_tpm.cpp, nv_storage.cpp. [TPM2-P3 31]
#pragma once

#include "attest/secret/owner_tpm.hpp"
#include "dlaunch/measure/tpm_command.hpp"

#include <initializer_list>

namespace casemate::secret {

/// One command; where it wants that, its first handle is authorised: the owner hierarchy with its password, all others with an empty one.
[[nodiscard]] Result<Bytes, measure::TpmFault> run(const OwnerTpm& tpm, measure::TPM_CC code, std::initializer_list<std::uint32_t> handles,
                                                   ByteView parameters);
/// One that is authorised and answers nothing.
[[nodiscard]] Status<measure::TpmFault> tell(const OwnerTpm& tpm, measure::TPM_CC code, std::initializer_list<std::uint32_t> handles,
                                             ByteView parameters);

/// TPMS_NV_PUBLIC [TPM2-P2 13.5].
[[nodiscard]] Result<Bytes, measure::TpmFault> nv_public(const OwnerTpm& tpm, std::uint32_t nv_index);
/// What it says of the index' size.
[[nodiscard]] std::size_t nv_size(const Bytes& nv_public);
/// The first `size` bytes, for whoever may read with an empty password.
[[nodiscard]] Result<Bytes, measure::TpmFault> nv_contents(const OwnerTpm& tpm, std::uint32_t nv_index, std::size_t size);

} // namespace casemate::secret
