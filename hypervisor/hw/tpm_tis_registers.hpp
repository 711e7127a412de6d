// SPDX-License-Identifier: Apache-2.0
// Registers of the TPM's FIFO (TIS) interface, one 4 KiB page for each locality, and its time-outs
// [TCG-PTP 6.3.2, 6.5.2, tables 16 and 21]. Description only.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/hw/clock.hpp"

#include <cstdint>

namespace casemate::hw::tis {

inline constexpr HostPhys base{0xfed40000};
inline constexpr std::uint64_t locality_size = 0x1000;
inline constexpr std::uint64_t localities = 5;

/// Offsets in a locality's page.
inline constexpr std::uint32_t access = 0x00;    // 8 bits
inline constexpr std::uint32_t sts = 0x18;       // 32 bits
inline constexpr std::uint32_t data_fifo = 0x24; // 8 bits at a time
inline constexpr std::uint32_t did_vid = 0xf00;  // 32 bits, ro

/// TPM_ACCESS_x.
inline constexpr std::uint8_t tpm_reg_valid_sts = 1 << 7; // ro
inline constexpr std::uint8_t active_locality = 1 << 5;   // rw1: writing 1 gives the locality up
inline constexpr std::uint8_t seize = 1 << 3;             // wo
inline constexpr std::uint8_t request_use = 1 << 1;       // rw

/// TPM_STS_x.
inline constexpr std::uint32_t sts_valid = 1 << 7;     // ro
inline constexpr std::uint32_t command_ready = 1 << 6; // rw
inline constexpr std::uint32_t tpm_go = 1 << 5;        // wo
inline constexpr std::uint32_t data_avail = 1 << 4;    // ro
inline constexpr std::uint32_t expect = 1 << 3;        // ro
inline constexpr unsigned burst_count_shift = 8;       // ro, 16 bits
inline constexpr std::uint32_t burst_count_mask = 0xffff;

/// Interface time-outs [TCG-PTP table 16], and the longest duration of a command that we send (the profile's
/// "long" default is 2 s; a loaded emulator is granted ten times that).
inline constexpr Micros timeout_a{750'000};
inline constexpr Micros timeout_b{2'000'000};
inline constexpr Micros timeout_c{200'000};
inline constexpr Micros timeout_d{30'000};
inline constexpr Micros command_limit{20'000'000};

} // namespace casemate::hw::tis
