// SPDX-License-Identifier: Apache-2.0
// See grammar.hpp.
#include "attest/txt/grammar.hpp"

#include "attest/txt/event_type.hpp"

#include <span>

namespace casemate::txt {

namespace {

using enum Slot::Count;

constexpr Slot one_of(std::uint32_t type) { return {type, type, one}; }
constexpr Slot tboot{EVTYPE_TBOOT_MEASUREMENT, EVTYPE_TBOOT_MEASUREMENT, any};
constexpr Slot trenchboot{TXT_EVTYPE_SLAUNCH, TXT_EVTYPE_SLAUNCH, any};
constexpr Slot nv_info{EVTYPE_NV_INFO_HASH, EVTYPE_NV_INFO_HASH, at_most_one};

constexpr Slot details[] = {one_of(EVTYPE_HASH_START),
                            {EVTYPE_COLD_BOOT_BIOS_HASH, EVTYPE_BOOT_POL_HASH, one_of_each}, // KM, BPM, BOOT_POL
                            one_of(EVTYPE_BIOSAC_REG_DATA),
                            one_of(EVTYPE_CPU_SCRTM_STAT),
                            one_of(EVTYPE_LCP_CONTROL_HASH),
                            one_of(EVTYPE_LCP_DETAILS_HASH),
                            one_of(EVTYPE_STM_HASH),
                            one_of(EVTYPE_OSSINITDATA_CAP_HASH),
                            one_of(EVTYPE_MLE_HASH),
                            nv_info,
                            tboot,
                            trenchboot};
constexpr Slot authorities[] = {one_of(EVTYPE_SINIT_PUBKEY_HASH),
                                one_of(EVTYPE_CPU_SCRTM_STAT),
                                one_of(EVTYPE_OSSINITDATA_CAP_HASH),
                                one_of(EVTYPE_LCP_CONTROL_HASH),
                                one_of(EVTYPE_LCP_AUTHORITIES_HASH),
                                nv_info,
                                tboot,
                                trenchboot};
constexpr Slot legacy_17[] = {one_of(EVTYPE_HASH_START),
                              {EVTYPE_COMBINED_HASH, EVTYPE_COMBINED_HASH, at_most_one},
                              {EVTYPE_BIOSAC_REG_DATA, EVTYPE_LCP_HASH, one_of_each},
                              nv_info,
                              tboot};
constexpr Slot legacy_18[] = {one_of(EVTYPE_MLE_HASH), nv_info, tboot};
constexpr Slot software[] = {tboot, trenchboot}; // PCR 19-22: as tboot's or TrenchBoot's policy says

std::span<const Slot> slots_of(PcrMap map, std::uint32_t pcr) {
    const bool legacy = map == PcrMap::legacy;
    if (pcr == 17) return legacy ? std::span<const Slot>{legacy_17} : std::span<const Slot>{details};
    if (pcr == 18) return legacy ? std::span<const Slot>{legacy_18} : std::span<const Slot>{authorities};
    return software;
}

std::size_t find(std::span<const Slot> slots, std::size_t from, std::uint32_t type) {
    while (from < slots.size() && (type < slots[from].first || type > slots[from].last)) ++from;
    return from;
}

bool is_control_word(std::uint32_t type) {
    return type == EVTYPE_CPU_SCRTM_STAT || type == EVTYPE_LCP_CONTROL_HASH || type == EVTYPE_OSSINITDATA_CAP_HASH;
}

/// SINIT hash and the flags of GETSEC[SENTER].
constexpr std::size_t hash_start_size = 36;

bool digests_are_of(const Record& record, ByteView bytes) {
    for (const measure::Digest& digest : record.event.digests)
        if (measure::hash(digest.algorithm, bytes) != digest) return false;
    return record.event.digests.size() != 0;
}

bool starts_from_nothing(const Record& record) {
    constexpr std::array<std::uint8_t, hash_start_size> zeros{};
    for (const measure::Digest& digest : record.event.digests)
        if (measure::hash(digest.algorithm, zeros) == digest) return true;
    return equal(record.event.data, zeros);
}

} // namespace

const char* name_of(PcrMap map) { return map == PcrMap::legacy ? "legacy" : "details/authorities"; }

bool Grammar::complete(const Slot& slot, const Cursor& cursor) { return slot.count != one || cursor.seen != 0; }

std::optional<Grammar::Verdict> Grammar::take(const Record& record) {
    const std::uint32_t type = record.event.type;
    const std::span<const Slot> slots = slots_of(map_, record.event.pcr);
    Cursor& cursor = cursors_[record.event.pcr - first_launch_pcr];
    const std::size_t place = find(slots, cursor.slot, type);
    if (place == slots.size()) { // behind us, or not of this PCR
        const bool known = find(slots, 0, type) != slots.size();
        return Verdict{known ? TxtReason::event_order : TxtReason::event_pcr, type};
    }
    std::optional<Verdict> verdict;
    for (; cursor.slot < place; cursor = {cursor.slot + 1, 0})
        if (!complete(slots[cursor.slot], cursor) && !verdict) verdict = Verdict{TxtReason::event_missing, slots[cursor.slot].first};
    const std::uint32_t bit = 1U << (type - slots[place].first);
    if ((cursor.seen & bit) != 0 && slots[place].count != any) verdict = Verdict{TxtReason::event_repeated, type};
    cursor.seen |= bit;
    return verdict;
}

std::optional<std::uint32_t> Grammar::next_missing(std::uint32_t pcr) {
    const std::span<const Slot> slots = slots_of(map_, pcr);
    Cursor& cursor = cursors_[pcr - first_launch_pcr];
    while (cursor.slot < slots.size()) {
        const Slot& slot = slots[cursor.slot];
        const bool good = complete(slot, cursor);
        cursor = {cursor.slot + 1, 0};
        if (!good) return slot.first;
    }
    return std::nullopt;
}

std::optional<TxtReason> check_payload(const Record& record) {
    const std::uint32_t type = record.event.type;
    const std::size_t size = record.event.data.size();
    if (type == EVTYPE_HASH_START && starts_from_nothing(record)) return TxtReason::hash_start_zero;
    if (type == EVTYPE_MLE_HASH || type == EVTYPE_SINIT_PUBKEY_HASH) {
        if (size != 0) return TxtReason::event_payload;
    } else if (is_control_word(type) && size != 0) {
        if (size != 4) return TxtReason::event_payload;
        if (!data_is_digested(record)) return TxtReason::event_digest;
    } else if (type == EVTYPE_HASH_START && size == hash_start_size && !data_is_digested(record)) {
        return TxtReason::event_digest;
    }
    return std::nullopt;
}

bool data_is_digested(const Record& record) { return digests_are_of(record, record.event.data); }

} // namespace casemate::txt
