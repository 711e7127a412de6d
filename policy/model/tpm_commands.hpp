// SPDX-License-Identifier: Apache-2.0
// The TPM commands that a policy may let the agent VM give, all run at locality 0 [TPM2-P2 6.5.2, table 11]: what
// enrolment, quotes and sessions need and nothing that changes PCRs, hierarchies, NV contents or persistent
// objects. The policy lists those that its agent needs; every other is answered with TPM_RC_COMMAND_CODE and never reaches the TPM.
#pragma once

#include <array>
#include <cstdint>

namespace casemate::policy {

inline constexpr std::array<std::uint32_t, 17> most_tpm_commands{
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

} // namespace casemate::policy
