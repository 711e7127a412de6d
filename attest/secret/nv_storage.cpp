// SPDX-License-Identifier: Apache-2.0
// See nv_storage.hpp.
#include "attest/secret/nv_storage.hpp"

#include "attest/secret/nv_access.hpp"

#include <algorithm>

namespace casemate::secret {
namespace {

using namespace measure;

constexpr TPM_RC rc_nv_defined = 0x14C; // [TPM2-P2 T16]
constexpr std::uint16_t alg_sha256 = 0x000B;
// TPMA_NV [TPM2-P2 13.4]: OWNERWRITE, OWNERREAD, AUTHREAD, NO_DA; WRITTEN once it was
constexpr std::uint32_t attributes = 1u << 1 | 1u << 17 | 1u << 18 | 1u << 25, written = 1u << 29;
constexpr std::size_t write_chunk = 256; // of a command that has room for 512 bytes

/// TPMS_NV_PUBLIC of a message of that size.
Bytes area_of(std::uint32_t nv_index, std::uint32_t its_attributes, std::size_t size) {
    Bytes area(14);
    BigEndianWriter out{area};
    out.u32(nv_index);
    out.u16(alg_sha256);
    out.u32(its_attributes);
    out.u16(0); // no policy
    out.u16(static_cast<std::uint16_t>(size));
    return area;
}

enum class There { nothing, message, unwritten, other };

Result<There, TpmFault> look(const OwnerTpm& tpm, std::uint32_t nv_index, std::size_t& size) {
    const auto area = nv_public(tpm, nv_index);
    if (!area.ok() && area.error().kind == TpmFaultKind::refused) return There::nothing;
    size = nv_size(TRY(area));
    if (equal(area.value(), area_of(nv_index, attributes | written, size))) return There::message;
    return equal(area.value(), area_of(nv_index, attributes, size)) ? There::unwritten : There::other;
}

Status<TpmFault> write_part(const OwnerTpm& tpm, std::uint32_t nv_index, ByteView message, std::size_t offset) {
    const ByteView part = message.subspan(offset, std::min(write_chunk, message.size() - offset));
    Bytes parameters(2 + part.size() + 2);
    BigEndianWriter out{parameters};
    out.u16(static_cast<std::uint16_t>(part.size()));
    out.bytes(part);
    out.u16(static_cast<std::uint16_t>(offset));
    return tell(tpm, TPM_CC::NV_Write, {TPM_RH_OWNER, nv_index}, parameters);
}

} // namespace

Status<TpmFault> store_message(const OwnerTpm& tpm, std::uint32_t nv_index, ByteView message) {
    if (message.empty() || message.size() > max_stored) return Failure{TpmFault{}};
    TRY(remove_message(tpm, nv_index));
    const Bytes area = area_of(nv_index, attributes, message.size());
    Bytes parameters{0, 0, 0, static_cast<std::uint8_t>(area.size())}; // no password; TPM2B_NV_PUBLIC
    parameters.insert(parameters.end(), area.begin(), area.end());
    TRY(tell(tpm, TPM_CC::NV_DefineSpace, {TPM_RH_OWNER}, parameters)); // refused when something else is there
    for (std::size_t offset = 0; offset < message.size(); offset += write_chunk) TRY(write_part(tpm, nv_index, message, offset));
    return Done{};
}

Result<Bytes, TpmFault> stored_message(const OwnerTpm& tpm, std::uint32_t nv_index) {
    std::size_t size = 0;
    if (TRY(look(tpm, nv_index, size)) != There::message || size > max_stored) return Bytes{};
    return nv_contents(tpm, nv_index, size);
}

Status<TpmFault> remove_message(const OwnerTpm& tpm, std::uint32_t nv_index) {
    std::size_t size = 0;
    const There there = TRY(look(tpm, nv_index, size));
    if (there == There::other) return Failure{TpmFault{TpmFaultKind::refused, rc_nv_defined}};
    return there == There::nothing ? Done{} : tell(tpm, TPM_CC::NV_UndefineSpace, {TPM_RH_OWNER, nv_index}, {});
}

} // namespace casemate::secret
