// SPDX-License-Identifier: Apache-2.0
// Which events a TXT launch extends into which PCR, in which order [TXT-MLE 1.9, F]: strict, for types and positions are not covered
// by replay. Two maps: details/authorities (every TPM 2.0) and tboot's legacy one. A place is looked for from the last one on, so
// that one fault is not taken for many. Called by explain().
#pragma once

#include "attest/txt/record_reader.hpp"

namespace casemate::txt {

enum class PcrMap { details_authorities, legacy };

/// "details/authorities", "legacy".
[[nodiscard]] const char* name_of(PcrMap map);

inline constexpr std::uint32_t first_launch_pcr = measure::first_launch_pcr;
inline constexpr std::uint32_t last_launch_pcr = measure::last_launch_pcr;

/// One place in a PCR's order.
struct Slot {
    std::uint32_t first, last; // types
    enum class Count { one, at_most_one, one_of_each, any } count;
};

class Grammar {
public:
    explicit Grammar(PcrMap map) : map_{map} {}

    /// `type`: the event's, or the first one that is missing before it.
    struct Verdict {
        TxtReason reason{};
        std::uint32_t type = 0;
    };
    /// Nothing when the record stands where it may. For records of PCR 17-22, and of types that belong there.
    [[nodiscard]] std::optional<Verdict> take(const Record& record);
    /// What the PCR still lacks at the end of the log; call until nothing comes.
    [[nodiscard]] std::optional<std::uint32_t> next_missing(std::uint32_t pcr);

private:
    struct Cursor {
        std::size_t slot = 0;
        std::uint32_t seen = 0; // of the slot, by type - first
    };
    [[nodiscard]] static bool complete(const Slot& slot, const Cursor& cursor);

    PcrMap map_;
    std::array<Cursor, last_launch_pcr - first_launch_pcr + 1> cursors_{};
};

/// The form of an event's data and digests, in each of the record's banks.
[[nodiscard]] std::optional<TxtReason> check_payload(const Record& record);
/// The digests are over the data, in every bank of the record: only then does a replay prove the data.
[[nodiscard]] bool data_is_digested(const Record& record);

} // namespace casemate::txt
