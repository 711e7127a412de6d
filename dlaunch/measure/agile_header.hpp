// SPDX-License-Identifier: Apache-2.0
// The first record of a crypto-agile log as others write it [TCG-PFP 10.4.5.1]: any platform class, algorithms that we do not
// know, vendor data. UNTRUSTED. Called by the readers of firmware's log (attest/appraise) and of a TXT launch's (attest/txt), and by the launcher, which
// copies firmware's log (dlaunch/efi); our own log has one header only, see EventLogReader.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "dlaunch/measure/fixed_list.hpp"

#include <optional>

namespace casemate::measure {

inline constexpr std::size_t max_log_algorithms = 8;

struct LogAlgorithm {
    std::uint16_t id = 0;
    std::uint16_t size = 0;
};

struct AgileHeader {
    FixedList<LogAlgorithm, max_log_algorithms> algorithms;
    Banks banks; // those of them that we know

    /// Place of an algorithm in the list; algorithms.size() when it is not there.
    [[nodiscard]] std::size_t index_of(std::uint16_t id) const;
    /// Bytes of the TCG_PCR_EVENT2 at the front; nothing when it is not whole, or has an algorithm that is not in the list.
    [[nodiscard]] std::optional<std::size_t> event_size(ByteView bytes) const;
    /// Of the first `count` events; nothing when they are not all there.
    [[nodiscard]] std::optional<std::size_t> events_size(ByteView bytes, std::uint64_t count) const;
};

/// Takes exactly the header's bytes from `log`. Nothing when they are none.
[[nodiscard]] std::optional<AgileHeader> read_agile_header(LittleEndianReader& log);

} // namespace casemate::measure
