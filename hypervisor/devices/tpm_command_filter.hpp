// SPDX-License-Identifier: Apache-2.0
// The TPM commands that the agent VM may give, all run at locality 0 [TPM2-P2 6.5.2, table 11]: what
// enrolment, quotes and sessions need and nothing that changes PCRs, hierarchies, NV contents or persistent
// objects. A command that is not listed is answered with TPM_RC_COMMAND_CODE and never reaches the TPM.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace casemate::devices {

inline constexpr std::uint32_t tpm_rc_command_code = 0x143; // RC_VER1 + 0x43 [TPM2-P2 6.6.3]

inline constexpr std::array<std::uint32_t, 17> agent_tpm_commands{
    0x131, // CreatePrimary: EK and attestation key
    0x143, // SelfTest: the kernel's driver asks for it
    0x147, // ActivateCredential
    0x14E, // NV_Read: EK certificate
    0x151, // PolicySecret: authorisation of the EK
    0x158, // Quote
    0x161, // ContextLoad: the kernel's resource manager
    0x162, // ContextSave
    0x165, // FlushContext
    0x169, // NV_ReadPublic
    0x173, // ReadPublic
    0x176, // StartAuthSession
    0x17A, // GetCapability
    0x17B, // GetRandom
    0x17C, // GetTestResult
    0x17E, // PCR_Read
    0x181, // ReadClock
};

constexpr bool agent_may_send(std::uint32_t command_code) {
    return std::ranges::find(agent_tpm_commands, command_code) != agent_tpm_commands.end();
}

} // namespace casemate::devices
