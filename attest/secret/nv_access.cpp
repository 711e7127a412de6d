// SPDX-License-Identifier: Apache-2.0
// See nv_access.hpp.
#include "attest/secret/nv_access.hpp"

#include "dlaunch/measure/tpm_session.hpp"

#include <algorithm>

namespace casemate::secret {
namespace {

using namespace measure;

constexpr std::size_t nv_chunk = 512; // bytes that every TPM reads at once

bool is_authorised(TPM_CC code) {
    return code != TPM_CC::ReadPublic && code != TPM_CC::NV_ReadPublic && code != TPM_CC::FlushContext && code != TPM_CC::GetCapability;
}

/// The authorization area with one password, for the first handle [TPM2-P1 18.4].
void authorise(TpmCommand& command, ByteView password) {
    command.body.u32(static_cast<std::uint32_t>(9 + password.size())); // authorizationSize
    command.body.u32(TPM_RS_PW);
    command.body.u16(0); // nonceCaller
    command.body.u8(0);  // sessionAttributes
    command.sized(password);
}

Result<Bytes, TpmFault> nv_part(const OwnerTpm& tpm, std::uint32_t nv_index, std::size_t offset, std::size_t size) {
    const std::uint8_t parameters[] = {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size),
                                       static_cast<std::uint8_t>(offset >> 8), static_cast<std::uint8_t>(offset)};
    const Bytes response = TRY(run(tpm, TPM_CC::NV_Read, {nv_index, nv_index}, parameters));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_SESSIONS));
    reader.u32(); // parameterSize
    const ByteView part = reader.bytes(reader.u16());
    if (!reader.ok() || part.size() != size) return Failure{TpmFault{}};
    return Bytes{part.begin(), part.end()};
}

} // namespace

Result<Bytes, TpmFault> run(const OwnerTpm& tpm, TPM_CC code, std::initializer_list<std::uint32_t> handles, ByteView parameters) {
    std::array<std::uint8_t, 512> buffer;
    const bool authorised = is_authorised(code);
    TpmCommand command{buffer, authorised ? TPM_ST_SESSIONS : TPM_ST_NO_SESSIONS, code};
    for (const std::uint32_t handle : handles) command.body.u32(handle);
    if (authorised) authorise(command, *handles.begin() == TPM_RH_OWNER ? tpm.owner_password : ByteView{});
    command.body.bytes(parameters);
    Bytes response = tpm.exchange(command.finish());
    wipe(buffer); // of the password
    return response;
}

Status<TpmFault> tell(const OwnerTpm& tpm, TPM_CC code, std::initializer_list<std::uint32_t> handles, ByteView parameters) {
    const Bytes response = TRY(run(tpm, code, handles, parameters));
    (void)TRY(open_response(response, TPM_ST_SESSIONS));
    return Done{};
}

Result<Bytes, TpmFault> nv_public(const OwnerTpm& tpm, std::uint32_t nv_index) {
    const Bytes response = TRY(run(tpm, TPM_CC::NV_ReadPublic, {nv_index}, {}));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    const ByteView area = reader.bytes(reader.u16());
    if (!reader.ok() || area.size() < 2) return Failure{TpmFault{}};
    return Bytes{area.begin(), area.end()};
}

std::size_t nv_size(const Bytes& nv_area) { return static_cast<std::size_t>(nv_area[nv_area.size() - 2] << 8 | nv_area.back()); }

Result<Bytes, TpmFault> nv_contents(const OwnerTpm& tpm, std::uint32_t nv_index, std::size_t size) {
    Bytes bytes;
    while (bytes.size() < size) {
        const Bytes part = TRY(nv_part(tpm, nv_index, bytes.size(), std::min(nv_chunk, size - bytes.size())));
        bytes.insert(bytes.end(), part.begin(), part.end());
    }
    return bytes;
}

} // namespace casemate::secret
