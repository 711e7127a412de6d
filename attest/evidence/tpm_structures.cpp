// SPDX-License-Identifier: Apache-2.0
// See tpm_structures.hpp.
#include "attest/evidence/tpm_structures.hpp"

namespace casemate::attest {

namespace {

constexpr std::uint16_t TPM_ALG_ECDSA = 0x0018; // [TPM2-P2 T9]
constexpr std::size_t max_name = 2 + measure::max_digest_size;
constexpr std::size_t max_extra_data = 2 + measure::max_digest_size; // TPM2B_DATA is as large as a TPMT_HA
constexpr std::size_t coordinate_size = 32;

/// A TPM2B of at most `limit` bytes.
ByteView read_2b(BigEndianReader& in, std::size_t limit, bool& ok) {
    const std::uint16_t size = in.u16();
    ok = ok && in.ok() && size <= limit;
    return ok ? in.bytes(size) : ByteView{};
}

TPMS_CLOCK_INFO read_clock_info(BigEndianReader& in, bool& ok) {
    TPMS_CLOCK_INFO info{in.u64(), in.u32(), in.u32(), false};
    const std::uint8_t safe = in.u8(); // TPMI_YES_NO: 0 or 1
    ok = ok && safe <= 1;
    info.safe = safe == 1;
    return info;
}

PcrSelection read_selection(BigEndianReader& in, bool& ok) {
    PcrSelection selection{static_cast<measure::TPM_ALG_ID>(in.u16()), 0};
    const std::uint8_t size = in.u8();
    ok = ok && in.ok() && size <= sizeof(selection.pcrs);
    if (!ok) return selection;
    const ByteView octets = in.bytes(size);
    for (std::size_t i = 0; i < octets.size(); ++i) selection.pcrs |= std::uint32_t{octets[i]} << (8 * i);
    return selection;
}

TPML_PCR_SELECTION read_selections(BigEndianReader& in, bool& ok) {
    TPML_PCR_SELECTION list;
    const std::uint32_t count = in.u32();
    ok = ok && in.ok() && count <= TPML_PCR_SELECTION::max_count;
    for (std::uint32_t i = 0; ok && i < count; ++i) list.items[list.count++] = read_selection(in, ok);
    return list;
}

/// A TPM2B_ECC_PARAMETER, right-aligned: some TPMs leave leading zeros out.
void read_parameter(BigEndianReader& in, ByteSpan out, bool& ok) {
    const ByteView bytes = read_2b(in, out.size(), ok);
    ok = ok && !bytes.empty();
    for (std::size_t i = 0; i < bytes.size(); ++i) out[out.size() - bytes.size() + i] = bytes[i];
}

} // namespace

Result<Unverified<Quote>, StructureError> parse_quote(ByteView attest) {
    BigEndianReader in{attest};
    const std::uint32_t magic = in.u32();
    const std::uint16_t type = in.u16();
    if (!in.ok()) return Failure{StructureError::malformed};
    if (magic != TPM_GENERATED_VALUE) return Failure{StructureError::magic};
    if (type != TPM_ST_ATTEST_QUOTE) return Failure{StructureError::type};
    bool ok = true;
    Quote quote;
    quote.signed_bytes = attest;
    quote.qualifiedSigner = read_2b(in, max_name, ok);
    quote.extraData = read_2b(in, max_extra_data, ok);
    quote.clockInfo = read_clock_info(in, ok);
    quote.firmwareVersion = in.u64();
    quote.pcrSelect = read_selections(in, ok);
    quote.pcrDigest = read_2b(in, measure::max_digest_size, ok);
    if (!ok || !in.finished()) return Failure{StructureError::malformed};
    return Unverified{quote};
}

Result<P256Signature, StructureError> parse_signature(ByteView signature) {
    BigEndianReader in{signature};
    const std::uint16_t algorithm = in.u16();
    const auto hash = static_cast<measure::TPM_ALG_ID>(in.u16());
    bool ok = algorithm == TPM_ALG_ECDSA && hash == measure::TPM_ALG_ID::SHA256;
    P256Signature raw{};
    read_parameter(in, ByteSpan{raw}.first(coordinate_size), ok);
    read_parameter(in, ByteSpan{raw}.last(coordinate_size), ok);
    if (!ok || !in.finished()) return Failure{StructureError::malformed};
    return raw;
}

} // namespace casemate::attest
