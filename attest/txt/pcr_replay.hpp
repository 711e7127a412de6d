// SPDX-License-Identifier: Apache-2.0
// PCR 0-23 of several banks after the records of a log. A bank without a digest misses an extend: its PCR keeps the value that the
// TPM then has too, and is marked, for it says nothing about that event. Pure; called by explain() and by the prediction.
#pragma once

#include "attest/txt/record_reader.hpp"
#include "dlaunch/measure/pcr_map.hpp"

namespace casemate::txt {

inline constexpr std::uint32_t pcr_count = 24;
inline constexpr std::uint32_t launch_pcr_mask = 0x7e0000; // PCR 17-22

class PcrReplay {
public:
    /// `launch_start`: of PCR 17-22; 0xff when there was no launch.
    explicit PcrReplay(const measure::Banks& banks, std::uint8_t launch_start = 0);

    [[nodiscard]] const measure::Banks& banks() const { return banks_; }
    void apply(const Record& record);
    /// Into every bank that the set has a digest for; the others are marked.
    void extend(std::uint32_t pcr, const measure::DigestSet& digests);
    /// The bank must be one of banks(), the PCR 0-23.
    [[nodiscard]] const measure::Digest& value(measure::TPM_ALG_ID bank, std::uint32_t pcr) const;
    /// Bit n: PCR n misses an extend in this bank.
    [[nodiscard]] std::uint32_t incomplete(measure::TPM_ALG_ID bank) const { return incomplete_[index_of(bank)]; }
    /// Bit n: PCR n was extended by a record.
    [[nodiscard]] std::uint32_t touched() const { return touched_; }

private:
    [[nodiscard]] std::size_t index_of(measure::TPM_ALG_ID bank) const;

    measure::Banks banks_;
    std::array<std::array<measure::Digest, pcr_count>, measure::max_banks> values_{};
    std::array<std::uint32_t, measure::max_banks> incomplete_{};
    std::uint32_t touched_ = 0;
};

} // namespace casemate::txt
