// SPDX-License-Identifier: Apache-2.0
// See agile_header.hpp.
#include "dlaunch/measure/agile_header.hpp"

#include "dlaunch/measure/event_log.hpp"

namespace casemate::measure {

namespace {

constexpr std::uint8_t spec_id_signature[16] = "Spec ID Event03";
constexpr std::size_t old_digest_size = 20;
constexpr std::uint16_t largest_digest = 64;

bool read_algorithms(LittleEndianReader& log, AgileHeader& header) {
    const std::uint32_t count = log.u32();
    if (!log.ok() || count == 0 || count > max_log_algorithms) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
        const LogAlgorithm algorithm{log.u16(), log.u16()};
        if (!log.ok() || algorithm.size == 0 || algorithm.size > largest_digest) return false;
        if (header.index_of(algorithm.id) != header.algorithms.size()) return false; // twice
        header.algorithms.add(algorithm);
        const auto bank = static_cast<TPM_ALG_ID>(algorithm.id);
        const std::size_t known = digest_size(bank);
        if (known != 0 && (known != algorithm.size || !header.banks.add(bank))) return false;
    }
    return true;
}

/// TCG_EfiSpecIdEvent.
bool read_spec_id(LittleEndianReader& log, AgileHeader& header) {
    if (!equal(log.bytes(sizeof spec_id_signature), spec_id_signature)) return false;
    log.u32(); // platformClass
    const bool version_2 = log.u8() == 0 && log.u8() == 2;
    log.u8(); // specErrata
    log.u8(); // uintnSize
    if (!log.ok() || !version_2 || !read_algorithms(log, header)) return false;
    log.bytes(log.u8()); // vendorInfo
    return log.ok();
}

} // namespace

std::size_t AgileHeader::index_of(std::uint16_t id) const {
    std::size_t index = 0;
    while (index < algorithms.size() && algorithms[index].id != id) ++index;
    return index;
}

std::optional<std::size_t> AgileHeader::event_size(ByteView bytes) const {
    LittleEndianReader in{bytes};
    in.u32(); // PCR
    in.u32(); // type
    const std::uint32_t count = in.u32();
    if (!in.ok() || count > algorithms.size()) return std::nullopt;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t index = index_of(in.u16());
        if (!in.ok() || index == algorithms.size()) return std::nullopt;
        in.bytes(algorithms[index].size);
    }
    in.bytes(in.u32());
    return in.ok() ? std::optional{bytes.size() - in.remaining()} : std::nullopt;
}

std::optional<std::size_t> AgileHeader::events_size(ByteView bytes, std::uint64_t count) const {
    std::size_t total = 0;
    for (; count > 0; --count) {
        const auto size = event_size(bytes.subspan(total));
        if (!size) return std::nullopt;
        total += *size; // never 0, so a count that is too high ends with the bytes
    }
    return total;
}

/// TCG_PCClientPCREvent with a TCG_EfiSpecIdEvent in it, which fills it exactly.
std::optional<AgileHeader> read_agile_header(LittleEndianReader& log) {
    const std::uint32_t pcr = log.u32();
    const std::uint32_t type = log.u32();
    const ByteView digest = log.bytes(old_digest_size);
    const std::uint32_t size = log.u32();
    if (!log.ok() || pcr != 0 || type != EV_NO_ACTION || size > log.remaining()) return std::nullopt;
    for (const std::uint8_t byte : digest)
        if (byte != 0) return std::nullopt;
    const std::size_t behind = log.remaining() - size;
    AgileHeader header;
    if (!read_spec_id(log, header) || log.remaining() != behind) return std::nullopt;
    return header;
}

} // namespace casemate::measure
