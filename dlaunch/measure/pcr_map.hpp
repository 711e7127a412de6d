// SPDX-License-Identifier: Apache-2.0
// PCR arithmetic: which PCR holds what, how an extend changes it, and the values of PCR 17-22 in every bank after a
// sequence of extends. The same code predicts (build), replays (verifier) and checks (hypervisor).
#pragma once

#include "dlaunch/measure/crypto.hpp"

namespace casemate::measure {

/// The PCRs that a dynamic launch resets, and their use; docs/measurements.md.
inline constexpr std::uint32_t pcr_launch = 17;    // SLB, hypervisor
inline constexpr std::uint32_t pcr_authority = 18; // owner key, policy
inline constexpr std::uint32_t pcr_custody = 19;   // ledger
inline constexpr std::uint32_t pcr_unused_20 = 20; // stay zero
inline constexpr std::uint32_t pcr_unused_21 = 21;
inline constexpr std::uint32_t pcr_unseal = 22; // the VM that a secret is being unsealed for; zero otherwise
inline constexpr std::uint32_t first_launch_pcr = 17;
inline constexpr std::uint32_t last_launch_pcr = 22;
inline constexpr std::size_t launch_pcr_count = last_launch_pcr - first_launch_pcr + 1;

[[nodiscard]] constexpr bool is_launch_pcr(std::uint32_t pcr) {
    return pcr >= first_launch_pcr && pcr <= last_launch_pcr;
}

/// new = H(old || digest) [TPM2-P1 17.2]; both of one algorithm (CHECK).
[[nodiscard]] Digest extended(const Digest& old, const Digest& digest);

/// PCR 17-22 of each bank, all zero at first: their value when SKINIT begins to measure.
class LaunchPcrs {
public:
    /// `start` other than zero: PCRs as they are before any launch (all ones), to recognise that state.
    explicit LaunchPcrs(const Banks& banks, std::uint8_t start = 0);

    [[nodiscard]] const Banks& banks() const { return banks_; }
    /// False, and nothing changed, when the PCR is not 17-22 or a bank has no digest.
    [[nodiscard]] bool extend(std::uint32_t pcr, const DigestSet& digests);
    /// The bank must be one of banks() and the PCR 17-22 (CHECK).
    [[nodiscard]] const Digest& value(TPM_ALG_ID bank, std::uint32_t pcr) const;

private:
    Banks banks_;
    std::array<std::array<Digest, launch_pcr_count>, max_banks> values_;
};

} // namespace casemate::measure
