// SPDX-License-Identifier: Apache-2.0
// See verify.hpp: replay of the log against the quoted PCR digest, in every quoted bank at once.
#include "attest/appraise/verify.hpp"
#include "dlaunch/measure/event_log.hpp"
#include "dlaunch/measure/launch_events.hpp"
#include "dlaunch/measure/pcr_map.hpp"

namespace casemate::attest {

namespace {

using measure::Digest;
using measure::EventLogReader;
using measure::LaunchPcrs;
using measure::TPM_ALG_ID;

/// The log has exactly the expected banks; SHA-1 may be there too, but is not looked at.
bool banks_good(const measure::Banks& log, const measure::Banks& expected, Reasons& reasons) {
    for (const TPM_ALG_ID bank : expected) {
        if (log.contains(bank)) continue;
        reasons.add(AppraisalError::log_banks, text_of(measure::name_of(bank)), text_of("in the log"), text_of("absent"));
        return false;
    }
    for (const TPM_ALG_ID bank : log) {
        if (expected.contains(bank) || bank == TPM_ALG_ID::SHA1) continue;
        reasons.add(AppraisalError::log_banks, text_of(measure::name_of(bank)), text_of("not active"), text_of("in the log"));
        return false;
    }
    return true;
}

/// The SLB's own record: SKINIT makes that extend, the SLB only writes it down.
bool made_by_skinit(const measure::LogEvent& event) {
    const auto data = measure::parse_tagged(event.data);
    return data && data->tag == measure::EventTag::slb;
}

enum class Story {
    launched,
    no_skinit, // PCRs begin as at power-on, all ones, and SKINIT's own extend is missing
    imitated,  // so do they here, but somebody else made that extend
};

/// PCR 17-22 after all events. Nothing when the log does not parse.
std::optional<LaunchPcrs> replay(ByteView log, const measure::Banks& banks, Story story) {
    auto reader = EventLogReader::open(log);
    if (!reader.ok()) return std::nullopt;
    LaunchPcrs pcrs{banks, story == Story::launched ? std::uint8_t{0x00} : std::uint8_t{0xff}};
    measure::LogEvent event;
    while (!reader.value().at_end()) {
        if (!reader.value().next(event).ok()) return std::nullopt;
        if (story == Story::no_skinit && made_by_skinit(event)) continue;
        // An event elsewhere changes no quoted PCR; the grammar refuses it by name.
        if (measure::is_launch_pcr(event.pcr) && !pcrs.extend(event.pcr, event.digests)) return std::nullopt;
    }
    return pcrs;
}

/// What TPM2_Quote digests: the selected PCRs in ascending order, bank by bank as selected [TPM2-P4 10.7].
Digest composite(const LaunchPcrs& pcrs, const FirmwarePcrs* firmware, const TPML_PCR_SELECTION& selections) {
    measure::Hasher hasher{TPM_ALG_ID::SHA256};
    for (const PcrSelection& selection : selections) {
        for (std::uint32_t pcr = 0; firmware != nullptr && pcr < firmware_pcr_count; ++pcr) {
            hasher.update(firmware->value(selection.bank, pcr).view());
        }
        for (std::uint32_t pcr = measure::first_launch_pcr; pcr <= measure::last_launch_pcr; ++pcr) {
            hasher.update(pcrs.value(selection.bank, pcr).view());
        }
    }
    return hasher.finish();
}

bool matches(const LaunchPcrs& pcrs, const FirmwarePcrs* firmware, const Quote& quote) {
    return equal(composite(pcrs, firmware, quote.pcrSelect).view(), quote.pcrDigest);
}

/// Which of the known bad states the quoted PCRs are in.
AppraisalError explain(const Quote& quote, ByteView log, const FirmwarePcrs* firmware, const measure::Banks& banks) {
    if (matches(LaunchPcrs{banks, 0xff}, firmware, quote)) return AppraisalError::not_launched;
    for (const Story story : {Story::no_skinit, Story::imitated}) {
        const auto pcrs = replay(log, banks, story);
        if (pcrs && matches(*pcrs, firmware, quote)) return AppraisalError::not_launched;
    }
    return matches(LaunchPcrs{banks, 0x00}, firmware, quote) ? AppraisalError::launch_not_finished : AppraisalError::log_replay;
}

} // namespace

std::optional<Verified<ByteView>> Verifier::verify_log(const Verified<Quote>& quote, ByteView log,
                                                       const FirmwarePcrs* firmware, const measure::Banks& expected,
                                                       Reasons& reasons) {
    const auto reader = EventLogReader::open(log);
    if (!reader.ok()) {
        reasons.add(AppraisalError::log_malformed, "log header");
        return std::nullopt;
    }
    if (!banks_good(reader.value().banks(), expected, reasons)) return std::nullopt;
    const auto pcrs = replay(log, expected, Story::launched);
    if (!pcrs) {
        reasons.add(AppraisalError::log_malformed, "log");
        return std::nullopt;
    }
    if (!matches(*pcrs, firmware, quote.get())) {
        reasons.add(explain(quote.get(), log, firmware, expected), text_of("PCR digest"),
                    hex_of(composite(*pcrs, firmware, quote->pcrSelect).view()), hex_of(quote->pcrDigest));
        return std::nullopt;
    }
    return Verified<ByteView>{log};
}

} // namespace casemate::attest
