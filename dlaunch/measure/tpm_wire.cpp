// SPDX-License-Identifier: Apache-2.0
// See tpm_wire.hpp. Structures and codes: [TPM2-P2], [TPM2-P3]; all integers big-endian.
#include "dlaunch/measure/tpm_wire.hpp"

namespace casemate::measure {

namespace {

constexpr std::uint32_t TPM_CAP_PCRS = 5; // [TPM2-P2 T22]
constexpr std::uint32_t first_dynamic_pcr = 17;
constexpr std::uint32_t last_dynamic_pcr = 22;
constexpr std::uint8_t select_size = 3; // PC Client TPMs have 24 PCRs
constexpr std::size_t max_selections = 16;

struct Selection {
    std::uint16_t algorithm;
    std::uint64_t pcrs; // bit n = PCR n
};

/// TPMS_PCR_SELECTION [TPM2-P2 T94]
Selection read_selection(BigEndianReader& reader) {
    Selection selection{reader.u16(), 0};
    const ByteView octets = reader.bytes(reader.u8());
    for (std::size_t i = 0; i < octets.size() && i < sizeof(selection.pcrs); ++i) {
        selection.pcrs |= std::uint64_t{octets[i]} << (8 * i);
    }
    return selection;
}

constexpr std::uint64_t dynamic_pcrs = ((std::uint64_t{1} << (last_dynamic_pcr + 1)) - 1) &
                                       ~((std::uint64_t{1} << first_dynamic_pcr) - 1);

} // namespace

ByteView tpm2_pcr_extend(ByteSpan out, std::uint32_t pcr, const DigestSet& digests) {
    TpmCommand command{out, TPM_ST_SESSIONS, TPM_CC::PCR_Extend};
    command.handle_with_password(pcr);
    command.body.u32(static_cast<std::uint32_t>(digests.size())); // TPML_DIGEST_VALUES
    for (const Digest& digest : digests) {
        command.body.u16(static_cast<std::uint16_t>(digest.algorithm));
        command.body.bytes(digest.view());
    }
    return command.finish();
}

ByteView tpm2_pcr_reset(ByteSpan out, std::uint32_t pcr) {
    TpmCommand command{out, TPM_ST_SESSIONS, TPM_CC::PCR_Reset};
    command.handle_with_password(pcr);
    return command.finish();
}

ByteView tpm2_get_capability_pcrs(ByteSpan out) {
    TpmCommand command{out, TPM_ST_NO_SESSIONS, TPM_CC::GetCapability};
    command.body.u32(TPM_CAP_PCRS);
    command.body.u32(0); // property
    command.body.u32(1); // propertyCount
    return command.finish();
}

ByteView tpm2_get_random(ByteSpan out, std::uint16_t count) {
    TpmCommand command{out, TPM_ST_NO_SESSIONS, TPM_CC::GetRandom};
    command.body.u16(count);
    return command.finish();
}

ByteView tpm2_read_clock(ByteSpan out) { return TpmCommand{out, TPM_ST_NO_SESSIONS, TPM_CC::ReadClock}.finish(); }

ByteView tpm2_pcr_read(ByteSpan out, TPM_ALG_ID bank, std::uint32_t pcr) {
    TpmCommand command{out, TPM_ST_NO_SESSIONS, TPM_CC::PCR_Read};
    command.body.u32(1); // TPML_PCR_SELECTION
    command.body.u16(static_cast<std::uint16_t>(bank));
    command.body.u8(select_size);
    for (std::uint32_t octet = 0; octet < select_size; ++octet) {
        command.body.u8(pcr / 8 == octet ? static_cast<std::uint8_t>(1 << pcr % 8) : 0);
    }
    return command.finish();
}

std::uint32_t announced_size(ByteView response_start) {
    if (response_start.size() < tpm_header_size) return 0;
    BigEndianReader reader{response_start.subspan(2)};
    const std::uint32_t size = reader.u32();
    return size < tpm_header_size ? 0 : size;
}

Status<TpmFault> parse_empty_response(ByteView response) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_SESSIONS));
    const std::uint32_t parameter_size = reader.u32();
    const std::uint16_t nonce_size = reader.u16();
    reader.u8(); // sessionAttributes
    const std::uint16_t hmac_size = reader.u16();
    if (!reader.finished() || parameter_size != 0 || nonce_size != 0 || hmac_size != 0) return Failure{TpmFault{}};
    return Done{};
}

Result<Banks, TpmFault> parse_get_capability_pcrs(ByteView response) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    const std::uint8_t more_data = reader.u8();
    const std::uint32_t capability = reader.u32();
    const std::uint32_t count = reader.u32();
    if (!reader.ok() || more_data != 0 || capability != TPM_CAP_PCRS || count > max_selections) {
        return Failure{TpmFault{}};
    }
    Banks banks;
    for (std::uint32_t i = 0; i < count; ++i) {
        const Selection selection = read_selection(reader);
        if (!reader.ok()) return Failure{TpmFault{}};
        if (selection.pcrs == 0) continue; // allocated, not active
        const bool whole = (selection.pcrs & dynamic_pcrs) == dynamic_pcrs;
        if (!whole || !banks.add(static_cast<TPM_ALG_ID>(selection.algorithm))) {
            return Failure{TpmFault{TpmFaultKind::unsupported_bank}};
        }
    }
    if (!reader.finished()) return Failure{TpmFault{}};
    if (banks.size() == 0) return Failure{TpmFault{TpmFaultKind::no_bank}};
    return banks;
}

Status<TpmFault> parse_get_random(ByteView response, ByteSpan out) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    const ByteView random = reader.bytes(reader.u16());
    if (!reader.finished() || random.size() != out.size()) return Failure{TpmFault{}};
    std::memcpy(out.data(), random.data(), out.size());
    return Done{};
}

Result<std::uint64_t, TpmFault> parse_read_clock(ByteView response) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    reader.u64(); // TPMS_TIME_INFO.time
    const std::uint64_t clock = reader.u64();
    reader.u32(); // resetCount
    reader.u32(); // restartCount
    reader.u8();  // safe: whether the clock may have gone back before; what counts here is how far it went since
    if (!reader.finished()) return Failure{TpmFault{}};
    return clock;
}

Result<Digest, TpmFault> parse_pcr_read(ByteView response, TPM_ALG_ID bank, std::uint32_t pcr) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    reader.u32(); // pcrUpdateCounter
    const std::uint32_t selections = reader.u32();
    const Selection selection = read_selection(reader);
    const std::uint32_t digests = reader.u32();
    const ByteView value = reader.bytes(reader.u16());
    if (!reader.finished() || selections != 1 || digests != 1 || value.size() != digest_size(bank) ||
        selection.algorithm != static_cast<std::uint16_t>(bank) || selection.pcrs != std::uint64_t{1} << pcr) {
        return Failure{TpmFault{}};
    }
    Digest digest{bank, {}};
    std::memcpy(digest.storage.data(), value.data(), value.size());
    return digest;
}

} // namespace casemate::measure
