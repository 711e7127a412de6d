// SPDX-License-Identifier: Apache-2.0
// The event types of a TXT launch [TXT-MLE F], of tboot and of TrenchBoot, with a few words about each.
// A type is only what the log says of itself: no replay covers it.
#pragma once

#include <cstdint>
#include <string_view>

namespace casemate::txt {

inline constexpr std::uint32_t EVTYPE_PCRMAPPING = 0x401;
inline constexpr std::uint32_t EVTYPE_HASH_START = 0x402;
inline constexpr std::uint32_t EVTYPE_COMBINED_HASH = 0x403;
inline constexpr std::uint32_t EVTYPE_MLE_HASH = 0x404;
inline constexpr std::uint32_t EVTYPE_BIOSAC_REG_DATA = 0x40A;
inline constexpr std::uint32_t EVTYPE_CPU_SCRTM_STAT = 0x40B;
inline constexpr std::uint32_t EVTYPE_LCP_CONTROL_HASH = 0x40C;
inline constexpr std::uint32_t EVTYPE_ELEMENTS_HASH = 0x40D;
inline constexpr std::uint32_t EVTYPE_STM_HASH = 0x40E;
inline constexpr std::uint32_t EVTYPE_OSSINITDATA_CAP_HASH = 0x40F;
inline constexpr std::uint32_t EVTYPE_SINIT_PUBKEY_HASH = 0x410;
inline constexpr std::uint32_t EVTYPE_LCP_HASH = 0x411;
inline constexpr std::uint32_t EVTYPE_LCP_DETAILS_HASH = 0x412;
inline constexpr std::uint32_t EVTYPE_LCP_AUTHORITIES_HASH = 0x413;
inline constexpr std::uint32_t EVTYPE_NV_INFO_HASH = 0x414;
inline constexpr std::uint32_t EVTYPE_COLD_BOOT_BIOS_HASH = 0x415;
inline constexpr std::uint32_t EVTYPE_KM_HASH = 0x416;
inline constexpr std::uint32_t EVTYPE_BPM_HASH = 0x417;
inline constexpr std::uint32_t EVTYPE_KM_INFO_HASH = 0x418;
inline constexpr std::uint32_t EVTYPE_BPM_INFO_HASH = 0x419;
inline constexpr std::uint32_t EVTYPE_BOOT_POL_HASH = 0x41A;
inline constexpr std::uint32_t EVTYPE_RANDOM_VALUE = 0x4FE;
inline constexpr std::uint32_t EVTYPE_CAP_VALUE = 0x4FF;
inline constexpr std::uint32_t EVTYPE_TBOOT_MEASUREMENT = 0x501;
inline constexpr std::uint32_t TXT_EVTYPE_SLAUNCH = 0x502;
inline constexpr std::uint32_t TXT_EVTYPE_SLAUNCH_START = 0x503;
inline constexpr std::uint32_t TXT_EVTYPE_SLAUNCH_END = 0x504;

struct EventType {
    std::uint32_t type;
    const char* name; // as the specification spells it, without EVTYPE_
    const char* words;
};

/// Null for a type that none of them defines.
[[nodiscard]] const EventType* event_type(std::uint32_t type);
/// By its name; null when there is none.
[[nodiscard]] const EventType* event_type(std::string_view name);

/// Written into the log, but never extended, whatever PCR the record names.
[[nodiscard]] constexpr bool is_marker_type(std::uint32_t type) {
    return type == EVTYPE_PCRMAPPING || type == TXT_EVTYPE_SLAUNCH_START || type == TXT_EVTYPE_SLAUNCH_END;
}

} // namespace casemate::txt
