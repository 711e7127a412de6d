// SPDX-License-Identifier: Apache-2.0
// TPM 2.0 commands as bytes and their responses as values, for any transport (TIS in the SLB and the hypervisor,
// a socket in tests). Builders return what they wrote, empty when the buffer is too small; parsers accept the exact
// length only. UNTRUSTED: responses (a TPM may sit on a bus that others can touch).
// Only what a launch needs; the agent speaks to the TPM through tpm2-tss.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "dlaunch/measure/tpm_command.hpp"

namespace casemate::measure {

/// Large enough for every command and every response below.
inline constexpr std::size_t tpm_buffer_size = 512;

[[nodiscard]] ByteView tpm2_pcr_extend(ByteSpan out, std::uint32_t pcr, const DigestSet& digests);
[[nodiscard]] ByteView tpm2_pcr_reset(ByteSpan out, std::uint32_t pcr);
[[nodiscard]] ByteView tpm2_get_capability_pcrs(ByteSpan out);
[[nodiscard]] ByteView tpm2_get_random(ByteSpan out, std::uint16_t count);
[[nodiscard]] ByteView tpm2_read_clock(ByteSpan out);
[[nodiscard]] ByteView tpm2_pcr_read(ByteSpan out, TPM_ALG_ID bank, std::uint32_t pcr);

/// The total size that a response announces in its header, for transports that must know when to stop; 0 when the
/// first 10 bytes are not there or the size is below 10.
[[nodiscard]] std::uint32_t announced_size(ByteView response_start);

/// Response of PCR_Extend and PCR_Reset: a password session and no parameters.
[[nodiscard]] Status<TpmFault> parse_empty_response(ByteView response);
[[nodiscard]] Result<Banks, TpmFault> parse_get_capability_pcrs(ByteView response);
/// Exactly out.size() random bytes; a TPM may give fewer at once: ask for at most 32.
[[nodiscard]] Status<TpmFault> parse_get_random(ByteView response, ByteSpan out);
/// TPMS_CLOCK_INFO.clock: ms that advance while the TPM is powered; the same clock as in a quote [TPM2-P2 10.11.1].
[[nodiscard]] Result<std::uint64_t, TpmFault> parse_read_clock(ByteView response);
[[nodiscard]] Result<Digest, TpmFault> parse_pcr_read(ByteView response, TPM_ALG_ID bank, std::uint32_t pcr);

} // namespace casemate::measure
