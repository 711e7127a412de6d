// SPDX-License-Identifier: Apache-2.0
// How TPM 2.0 commands are put together and responses opened [TPM2-P1 18], and what the TPM or the way to it can get wrong.
// Used by tpm_wire.cpp, tpm_session.cpp and attest/secret only; everybody else calls those.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::measure {

using TPM_RC = std::uint32_t;
inline constexpr TPM_RC TPM_RC_SUCCESS = 0;
inline constexpr TPM_RC TPM_RC_YIELDED = 0x908; // [TPM2-P2 T16]: send again
inline constexpr TPM_RC TPM_RC_TESTING = 0x90A;
inline constexpr TPM_RC TPM_RC_RETRY = 0x922;
inline constexpr TPM_RC TPM_RC_LOCALITY = 0x907;

enum class TpmFaultKind : std::uint8_t {
    malformed = 1,    // not the exact shape of this response
    refused,          // the TPM answered with `code`
    unsupported_bank, // a bank is active that Casemate cannot extend, or only some of PCR 17-22 are in it
    no_bank,
    forged, // a session's response whose code is not by who has the session's key
};
struct TpmFault {
    TpmFaultKind kind = TpmFaultKind::malformed;
    TPM_RC code = TPM_RC_SUCCESS;
    [[nodiscard]] constexpr bool try_again() const {
        return code == TPM_RC_YIELDED || code == TPM_RC_TESTING || code == TPM_RC_RETRY;
    }
};

inline constexpr std::uint16_t TPM_ST_NO_SESSIONS = 0x8001, TPM_ST_SESSIONS = 0x8002; // [TPM2-P2 T19]
inline constexpr std::uint32_t TPM_RS_PW = 0x40000009;                                    // [TPM2-P2 T28]
inline constexpr std::size_t tpm_header_size = 10;

enum class TPM_CC : std::uint32_t { // [TPM2-P2 T12]
    EvictControl = 0x00000120,
    NV_UndefineSpace = 0x00000122,
    NV_DefineSpace = 0x0000012A,
    CreatePrimary = 0x00000131,
    NV_Increment = 0x00000134,
    NV_Write = 0x00000137,
    PCR_Reset = 0x0000013D,
    PolicyNV = 0x00000149,
    NV_Read = 0x0000014E,
    PolicySecret = 0x00000151,
    Import = 0x00000156,
    Load = 0x00000157,
    Unseal = 0x0000015E,
    FlushContext = 0x00000165,
    LoadExternal = 0x00000167,
    NV_ReadPublic = 0x00000169,
    PolicyAuthorize = 0x0000016A,
    PolicyLocality = 0x0000016F,
    ReadPublic = 0x00000173,
    StartAuthSession = 0x00000176,
    VerifySignature = 0x00000177,
    GetCapability = 0x0000017A,
    GetRandom = 0x0000017B,
    PCR_Read = 0x0000017E,
    PolicyPCR = 0x0000017F,
    ReadClock = 0x00000181,
    PCR_Extend = 0x00000182,
};

/// A command under construction; the size field is filled in at the end.
class TpmCommand {
public:
    TpmCommand(ByteSpan out, std::uint16_t tag, TPM_CC code) : out_{out}, body{out} {
        body.u16(tag);
        body.u32(0);
        body.u32(static_cast<std::uint32_t>(code));
    }

    /// The authorization area with one empty password, for the first handle [TPM2-P1 18.4].
    void password() {
        body.u32(9); // authorizationSize
        body.u32(TPM_RS_PW);
        body.u16(0); // nonceCaller
        body.u8(0);  // sessionAttributes
        body.u16(0); // hmac
    }
    void handle_with_password(std::uint32_t handle) {
        body.u32(handle);
        password();
    }
    /// A TPM2B.
    void sized(ByteView bytes) {
        body.u16(static_cast<std::uint16_t>(bytes.size()));
        body.bytes(bytes);
    }

    [[nodiscard]] ByteView finish() {
        if (!body.ok()) return {};
        BigEndianWriter size{out_.subspan(2, 4)};
        size.u32(static_cast<std::uint32_t>(body.size()));
        return body.written();
    }

private:
    ByteSpan out_;

public:
    BigEndianWriter body;
};

/// Checks the header and gives a reader behind it.
[[nodiscard]] inline Result<BigEndianReader, TpmFault> open_response(ByteView response, std::uint16_t expected_tag) {
    BigEndianReader reader{response};
    const std::uint16_t tag = reader.u16();
    const std::uint32_t size = reader.u32();
    const TPM_RC code = reader.u32();
    if (!reader.ok() || size != response.size()) return Failure{TpmFault{}};
    if (code != TPM_RC_SUCCESS) {
        const bool shape = tag == TPM_ST_NO_SESSIONS && size == tpm_header_size;
        return Failure{shape ? TpmFault{TpmFaultKind::refused, code} : TpmFault{}};
    }
    if (tag != expected_tag) return Failure{TpmFault{}};
    return reader;
}

} // namespace casemate::measure
