// SPDX-License-Identifier: Apache-2.0
// The first record of a crypto-agile log as others write it [TCG-PFP 10.4.5.1]: any platform class, algorithms that we do not
// know, vendor data. UNTRUSTED. Called by the reader of firmware's log and by that of a TXT launch (attest/txt); our own log has
// one header only, see measure::EventLogReader.
#pragma once

#include "attest/appraise/fixed_list.hpp"
#include "dlaunch/measure/digest.hpp"

#include <optional>

namespace casemate::attest {

inline constexpr std::size_t max_log_algorithms = 8;

struct LogAlgorithm {
    std::uint16_t id = 0;
    std::uint16_t size = 0;
};

struct AgileHeader {
    FixedList<LogAlgorithm, max_log_algorithms> algorithms;
    measure::Banks banks; // those of them that we know

    /// Place of an algorithm in the list; algorithms.size() when it is not there.
    [[nodiscard]] std::size_t index_of(std::uint16_t id) const;
};

/// Takes exactly the header's bytes from `log`. Nothing when they are none.
[[nodiscard]] std::optional<AgileHeader> read_agile_header(LittleEndianReader& log);

} // namespace casemate::attest
