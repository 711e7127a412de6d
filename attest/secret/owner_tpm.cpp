// SPDX-License-Identifier: Apache-2.0
// See owner_tpm.hpp.
#include "attest/secret/owner_tpm.hpp"

#include "attest/secret/nv_access.hpp"

#include <algorithm>

namespace casemate::secret {
namespace {

using namespace measure;

constexpr std::size_t attributes_at = 6; // in TPMS_NV_PUBLIC, behind nvIndex and nameAlg
constexpr std::uint8_t nv_written = 1 << 5; // TPMA_NV_WRITTEN in the first byte of the attributes

constexpr TPM_RC rc_nv_defined = 0x14C;              // [TPM2-P2 T16]
constexpr std::size_t max_certificate = 4096;

Bytes counter_template(std::uint32_t nv_index) {
    const TpmArea written = epoch_counter(nv_index);
    Bytes parameters{0, 0, 0, static_cast<std::uint8_t>(written.view().size())}; // no password; TPM2B_NV_PUBLIC
    parameters.insert(parameters.end(), written.view().begin(), written.view().end());
    parameters[4 + attributes_at] &= static_cast<std::uint8_t>(~nv_written);
    return parameters;
}

/// Parameters of CreatePrimary: no password, the template L-1, nothing else [TCG-EK B.3.3].
Bytes primary_parameters() {
    const TpmArea area = endorsement_key(Bytes(rsa2048_size, 0));
    Bytes parameters{0, 4, 0, 0, 0, 0};
    parameters.push_back(static_cast<std::uint8_t>(area.view().size() >> 8));
    parameters.push_back(static_cast<std::uint8_t>(area.view().size()));
    parameters.insert(parameters.end(), area.view().begin(), area.view().end());
    parameters.insert(parameters.end(), {0, 0, 0, 0, 0, 0}); // outsideInfo, creationPCR
    return parameters;
}

Bytes big_endian(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8),
            static_cast<std::uint8_t>(value)};
}

/// A TPM property's value [TPM2-P3 30.2].
Result<std::uint32_t, TpmFault> property(const OwnerTpm& tpm, std::uint32_t which) {
    constexpr std::uint32_t tpm_properties = 6; // TPM_CAP
    Bytes parameters(12);
    BigEndianWriter out{parameters};
    for (const std::uint32_t word : {tpm_properties, which, 1u}) out.u32(word);
    const Bytes response = TRY(run(tpm, TPM_CC::GetCapability, {}, parameters));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    reader.bytes(1 + 4); // moreData, capability
    if (reader.u32() != 1 || reader.u32() != which) return Failure{TpmFault{}};
    const std::uint32_t value = reader.u32();
    if (!reader.ok()) return Failure{TpmFault{}};
    return value;
}

} // namespace

bool is_password_refusal(const TpmFault& fault) {
    constexpr TPM_RC format_one = 0x80, without_number = 0xBF, auth_fail = 0x8E, bad_auth = 0xA2; // [TPM2-P2 6.6]
    const TPM_RC bare = fault.code & without_number;
    return fault.kind == TpmFaultKind::refused && (fault.code & format_one) != 0 && (bare == auth_fail || bare == bad_auth);
}

Result<PasswordsSet, TpmFault> passwords_set(const OwnerTpm& tpm) {
    constexpr std::uint32_t permanent = 0x200; // TPM_PT_PERMANENT, a TPMA_PERMANENT [TPM2-P2 8.6]
    const std::uint32_t attributes = TRY(property(tpm, permanent));
    return PasswordsSet{.owner = (attributes & 1) != 0, .endorsement = (attributes & 2) != 0};
}

Status<TpmFault> try_owner_password(const OwnerTpm& tpm) {
    constexpr auto clock_rate_adjust = static_cast<TPM_CC>(0x130); // the owner's one command that can change nothing [TPM2-P3 29.3]
    constexpr std::uint8_t no_change[] = {0};
    return tell(tpm, clock_rate_adjust, {TPM_RH_OWNER}, no_change);
}

Result<Bytes, TpmFault> ensure_endorsement_key(const OwnerTpm& tpm, std::uint32_t handle) {
    if (auto modulus = read_endorsement_key(tpm, handle); modulus.ok()) return modulus;
    const Bytes response = TRY(run(tpm, TPM_CC::CreatePrimary, {TPM_RH_ENDORSEMENT}, primary_parameters()));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_SESSIONS));
    const std::uint32_t object = reader.u32();
    const auto kept = tell(tpm, TPM_CC::EvictControl, {TPM_RH_OWNER, object}, big_endian(handle));
    (void)run(tpm, TPM_CC::FlushContext, {object}, {});
    if (!kept.ok()) return Failure{kept.error()};
    return read_endorsement_key(tpm, handle);
}

Result<Bytes, TpmFault> read_ek_certificate(const OwnerTpm& tpm, std::uint32_t nv_index) {
    const auto area = nv_public(tpm, nv_index);
    if (!area.ok() && area.error().kind == TpmFaultKind::refused) return Bytes{}; // no such index
    if (nv_size(TRY(area)) > max_certificate) return Failure{TpmFault{}};
    Bytes bytes = TRY(nv_contents(tpm, nv_index, nv_size(area.value())));
    // An index may be larger than the certificate in it: its DER head tells the length [X.690 8.1.3].
    if (bytes.size() < 4 || bytes[0] != 0x30 || bytes[1] != 0x82) return Failure{TpmFault{}};
    const std::size_t length = 4 + static_cast<std::size_t>(bytes[2] << 8 | bytes[3]);
    if (length > bytes.size()) return Failure{TpmFault{}};
    bytes.resize(length);
    return bytes;
}

Result<Bytes, TpmFault> read_endorsement_key(const OwnerTpm& tpm, std::uint32_t handle) {
    const Bytes response = TRY(run(tpm, TPM_CC::ReadPublic, {handle}, {}));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    const ByteView area = reader.bytes(reader.u16());
    if (!reader.ok() || area.size() < rsa2048_size) return Failure{TpmFault{}};
    const ByteView modulus = area.last(rsa2048_size);
    if (!equal(endorsement_key(modulus).view(), area)) return Failure{TpmFault{}};
    return Bytes{modulus.begin(), modulus.end()};
}

Result<CounterState, TpmFault> state_of_counter(const OwnerTpm& tpm, std::uint32_t nv_index) {
    const auto area = nv_public(tpm, nv_index);
    if (!area.ok() && area.error().kind == TpmFaultKind::refused) return CounterState::absent;
    if (equal(TRY(area), epoch_counter(nv_index).view())) return CounterState::good;
    return equal(area.value(), ByteView{counter_template(nv_index)}.subspan(4)) ? CounterState::half_made : CounterState::foreign;
}

Result<std::uint64_t, TpmFault> read_epoch(const OwnerTpm& tpm, std::uint32_t nv_index) {
    constexpr std::uint8_t eight_from_zero[] = {0, 8, 0, 0};
    const Bytes response = TRY(run(tpm, TPM_CC::NV_Read, {nv_index, nv_index}, eight_from_zero));
    BigEndianReader reader = TRY(open_response(response, TPM_ST_SESSIONS));
    reader.u32(); // parameterSize
    if (reader.u16() != sizeof(std::uint64_t)) return Failure{TpmFault{}};
    const std::uint64_t value = reader.u64();
    if (!reader.ok()) return Failure{TpmFault{}};
    return value;
}

Result<std::uint64_t, TpmFault> count_epoch_up(const OwnerTpm& tpm, std::uint32_t nv_index) {
    TRY(tell(tpm, TPM_CC::NV_Increment, {TPM_RH_OWNER, nv_index}, {}));
    return read_epoch(tpm, nv_index);
}

Result<std::uint64_t, TpmFault> ensure_epoch_counter(const OwnerTpm& tpm, std::uint32_t nv_index) {
    const CounterState state = TRY(state_of_counter(tpm, nv_index));
    if (state == CounterState::good) return read_epoch(tpm, nv_index);
    if (state == CounterState::foreign) return Failure{TpmFault{TpmFaultKind::refused, rc_nv_defined}};
    if (state == CounterState::absent) TRY(tell(tpm, TPM_CC::NV_DefineSpace, {TPM_RH_OWNER}, counter_template(nv_index)));
    return count_epoch_up(tpm, nv_index);
}

Result<std::uint64_t, TpmFault> count_epoch_up_to(const OwnerTpm& tpm, std::uint32_t nv_index, std::uint64_t value) {
    std::uint64_t epoch = TRY(read_epoch(tpm, nv_index));
    while (epoch < value) epoch = TRY(count_epoch_up(tpm, nv_index));
    return epoch;
}

Status<TpmFault> remove_epoch_counter(const OwnerTpm& tpm, std::uint32_t nv_index) {
    return tell(tpm, TPM_CC::NV_UndefineSpace, {TPM_RH_OWNER, nv_index}, {});
}

} // namespace casemate::secret
