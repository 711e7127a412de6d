// SPDX-License-Identifier: Apache-2.0
// See replay_story.hpp.
#include "attest/txt/replay_story.hpp"

#include "attest/txt/event_type.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

using measure::TPM_ALG_ID;

/// What TPM2_Quote digests: the selected PCRs in ascending order, bank by bank as selected [TPM2-P4 10.7].
bool matches(const PcrReplay& pcrs, const attest::Quote& quote, TPM_ALG_ID hash) {
    measure::Hasher hasher{hash};
    for (const attest::PcrSelection& selection : quote.pcrSelect)
        for (std::uint32_t pcr = 0; pcr < pcr_count; ++pcr)
            if ((selection.pcrs >> pcr & 1) != 0) hasher.update(pcrs.value(selection.bank, pcr).view());
    return equal(hasher.finish().view(), quote.pcrDigest);
}

/// The PCRs before any record of the launch.
bool matches_without_launch(const LaunchLog& log, const attest::Quote& quote, TPM_ALG_ID hash, std::uint8_t start) {
    PcrReplay pcrs{log.banks, start};
    for (const Record& record : log.records)
        if (!measure::is_launch_pcr(record.event.pcr)) pcrs.apply(record);
    return matches(pcrs, quote, hash);
}

bool matches_with_markers(const LaunchLog& log, const attest::Quote& quote, TPM_ALG_ID hash) {
    PcrReplay pcrs{log.banks};
    for (const Record& record : log.records) {
        if (is_marker_type(record.event.type) && measure::is_launch_pcr(record.event.pcr)) pcrs.extend(record.event.pcr, record.event.digests);
        else pcrs.apply(record);
    }
    return matches(pcrs, quote, hash);
}

/// The last record up to which the PCRs are the log's.
const Record* last_extended(const LaunchLog& log, const attest::Quote& quote, TPM_ALG_ID hash) {
    PcrReplay pcrs{log.banks};
    const Record* last = nullptr;
    for (const Record& record : log.records) {
        pcrs.apply(record);
        if (is_extended(record) && matches(pcrs, quote, hash)) last = &record;
    }
    return last;
}

} // namespace

std::optional<TPM_ALG_ID> composite_hash(const attest::Quote& quote) {
    for (const TPM_ALG_ID each : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512})
        if (measure::digest_size(each) == quote.pcrDigest.size()) return each;
    return std::nullopt;
}

TxtReason state_of(ByteView value) {
    const auto all = [&](std::uint8_t wanted) { return std::all_of(value.begin(), value.end(), [&](std::uint8_t byte) { return byte == wanted; }); };
    if (all(0xff)) return TxtReason::not_launched;
    return all(0) ? TxtReason::launch_not_finished : TxtReason::log_replay;
}

std::optional<Story> tell_story(const LaunchLog& log, const attest::Quote& quote) {
    const auto hash = composite_hash(quote);
    if (!hash) return Story{TxtReason::quote_malformed, "the quote's PCR digest is of no known algorithm"};
    PcrReplay pcrs{log.banks};
    for (const Record& record : log.records) pcrs.apply(record);
    if (matches(pcrs, quote, *hash)) return std::nullopt;
    if (matches_without_launch(log, quote, *hash, 0xff))
        return Story{TxtReason::not_launched, "the quoted PCRs 17-22 are all ones: no launch has taken place"};
    if (matches_without_launch(log, quote, *hash, 0))
        return Story{TxtReason::launch_not_finished, "the quoted PCRs 17-22 are all zeros: a launch began and did not finish"};
    if (const Record* last = last_extended(log, quote, *hash))
        return Story{TxtReason::log_replay, "the quoted PCRs are those behind record " + std::to_string(last->number) + " (" + title_of(*last) +
                                                "): what the log has behind it was not extended"};
    if (matches_with_markers(log, quote, *hash))
        return Story{TxtReason::log_replay, "the quoted PCRs have remarks of the log extended, too"};
    return Story{TxtReason::log_replay, "the log does not replay to the quoted PCRs: an event is missing, changed, or in another order"};
}

} // namespace casemate::txt
