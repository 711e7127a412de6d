// SPDX-License-Identifier: Apache-2.0
// See owner_tpm.hpp.
#include "attest/secret/owner_tpm.hpp"

#include "dlaunch/measure/tpm_command.hpp"

namespace casemate::secret {
namespace {

using namespace measure;

constexpr std::size_t attributes_at = 6; // in TPMS_NV_PUBLIC, behind nvIndex and nameAlg
constexpr std::uint8_t nv_written = 1 << 5; // TPMA_NV_WRITTEN in the first byte of the attributes

/// One command; all but ReadPublic authorise their first handle, with an empty password.
Result<Bytes, TpmFault> run(const TpmExchange& ask, TPM_CC code, std::initializer_list<std::uint32_t> handles, ByteView parameters) {
    std::array<std::uint8_t, 256> buffer;
    const bool authorised = code != TPM_CC::ReadPublic;
    TpmCommand command{buffer, authorised ? TPM_ST_SESSIONS : TPM_ST_NO_SESSIONS, code};
    for (const std::uint32_t handle : handles) command.body.u32(handle);
    if (authorised) command.password();
    command.body.bytes(parameters);
    return ask(command.finish());
}

Status<TpmFault> tell(const TpmExchange& ask, TPM_CC code, std::initializer_list<std::uint32_t> handles, ByteView parameters) {
    const Bytes response = TRY(run(ask, code, handles, parameters));
    (void)TRY(open_response(response, TPM_ST_SESSIONS));
    return Done{};
}

Bytes counter_template(std::uint32_t nv_index) {
    const TpmArea written = epoch_counter(nv_index);
    Bytes parameters{0, 0, 0, static_cast<std::uint8_t>(written.view().size())}; // no password; TPM2B_NV_PUBLIC
    parameters.insert(parameters.end(), written.view().begin(), written.view().end());
    parameters[4 + attributes_at] &= static_cast<std::uint8_t>(~nv_written);
    return parameters;
}

} // namespace

Result<Bytes, TpmFault> read_endorsement_key(const TpmExchange& ask, std::uint32_t handle) {
    const Bytes response = TRY(run(ask, TPM_CC::ReadPublic, {handle}, {}));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    const ByteView area = reader.bytes(reader.u16());
    if (!reader.ok() || area.size() < rsa2048_size) return Failure{TpmFault{}};
    const ByteView modulus = area.last(rsa2048_size);
    if (!equal(endorsement_key(modulus).view(), area)) return Failure{TpmFault{}};
    return Bytes{modulus.begin(), modulus.end()};
}

Result<std::uint64_t, TpmFault> read_epoch(const TpmExchange& ask, std::uint32_t nv_index) {
    constexpr std::uint8_t eight_from_zero[] = {0, 8, 0, 0};
    const Bytes response = TRY(run(ask, TPM_CC::NV_Read, {nv_index, nv_index}, eight_from_zero));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_SESSIONS));
    reader.u32(); // parameterSize
    if (reader.u16() != sizeof(std::uint64_t)) return Failure{TpmFault{}};
    const std::uint64_t value = reader.u64();
    if (!reader.ok()) return Failure{TpmFault{}};
    return value;
}

Result<std::uint64_t, TpmFault> count_epoch_up(const TpmExchange& ask, std::uint32_t nv_index) {
    TRY(tell(ask, TPM_CC::NV_Increment, {TPM_RH_OWNER, nv_index}, {}));
    return read_epoch(ask, nv_index);
}

Result<std::uint64_t, TpmFault> ensure_epoch_counter(const TpmExchange& ask, std::uint32_t nv_index) {
    if (const auto value = read_epoch(ask, nv_index); value.ok()) return value;
    TRY(tell(ask, TPM_CC::NV_DefineSpace, {TPM_RH_OWNER}, counter_template(nv_index)));
    return count_epoch_up(ask, nv_index);
}

Status<TpmFault> remove_epoch_counter(const TpmExchange& ask, std::uint32_t nv_index) {
    return tell(ask, TPM_CC::NV_UndefineSpace, {TPM_RH_OWNER, nv_index}, {});
}

} // namespace casemate::secret
