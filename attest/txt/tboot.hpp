// SPDX-License-Identifier: Apache-2.0
// What tboot measures after SINIT has ended: its own policy, then the modules that the boot loader gave it. The policies that it
// has built in are constants, so their measurement is one too. The same functions predict and recognise. Portable.
#pragma once

#include "attest/txt/grammar.hpp"

namespace casemate::txt {

/// H(policy control || H(policy)) [tboot, howto_use: PCR usage]. The inner digest is in tboot's own algorithm.
[[nodiscard]] measure::Digest calculate_policy_event(ByteView policy, measure::TPM_ALG_ID bank, measure::TPM_ALG_ID inner);
/// A policy file of tb_polgen, or a built-in one; the control word lies in it. Nothing when it is too short.
[[nodiscard]] std::optional<std::uint32_t> policy_control(ByteView policy);

/// The policy that tboot uses when the TPM has none.
[[nodiscard]] ByteView default_policy(PcrMap map);
/// Whether this is the measurement of a built-in policy, whichever algorithm tboot computes in.
[[nodiscard]] bool is_default_policy(const measure::DigestSet& digests);

/// H(H(command line) || H(image)). The command line is what is left behind the file's name.
[[nodiscard]] measure::Digest calculate_module_event(std::string_view command_line, ByteView image, measure::TPM_ALG_ID bank);

/// Where tboot extends the measurement of module `number` under a built-in policy.
[[nodiscard]] std::uint32_t pcr_of_module(PcrMap map, std::size_t number);

} // namespace casemate::txt
