// SPDX-License-Identifier: Apache-2.0
// See verify.hpp: replay of the log against the quoted PCR digest, in every quoted bank at once.
#include "attest/appraise/verify.hpp"
#include "dlaunch/measure/event_log.hpp"
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

/// PCR 17-22 after all events, from PCRs filled with `start`. Nothing when the log does not parse.
std::optional<LaunchPcrs> replay(ByteView log, const measure::Banks& banks, std::uint8_t start) {
    auto reader = EventLogReader::open(log);
    if (!reader.ok()) return std::nullopt;
    LaunchPcrs pcrs{banks, start};
    while (!reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) return std::nullopt;
        // An event elsewhere changes no quoted PCR; the grammar refuses it by name.
        if (measure::is_launch_pcr(event.value().pcr) && !pcrs.extend(event.value().pcr, event.value().digests)) {
            return std::nullopt;
        }
    }
    return pcrs;
}

/// What TPM2_Quote digests: the selected PCRs in ascending order, bank by bank as selected [TPM2-P4 10.7].
Digest composite(const LaunchPcrs& pcrs, const TPML_PCR_SELECTION& selections) {
    measure::Hasher hasher{TPM_ALG_ID::SHA256};
    for (const PcrSelection& selection : selections) {
        for (std::uint32_t pcr = measure::first_launch_pcr; pcr <= measure::last_launch_pcr; ++pcr) {
            hasher.update(pcrs.value(selection.bank, pcr).view());
        }
    }
    return hasher.finish();
}

bool matches(const LaunchPcrs& pcrs, const Quote& quote) {
    return equal(composite(pcrs, quote.pcrSelect).view(), quote.pcrDigest);
}

/// Which of the known bad states the quoted PCRs are in. PCRs that no launch reset start at all ones.
AppraisalError explain(const Quote& quote, ByteView log, const measure::Banks& banks) {
    const auto from_ones = replay(log, banks, 0xff);
    if (matches(LaunchPcrs{banks, 0xff}, quote) || (from_ones && matches(*from_ones, quote))) {
        return AppraisalError::not_launched;
    }
    return matches(LaunchPcrs{banks, 0x00}, quote) ? AppraisalError::launch_not_finished : AppraisalError::log_replay;
}

} // namespace

std::optional<Verified<ByteView>> Verifier::verify_log(const Verified<Quote>& quote, ByteView log,
                                                       const measure::Banks& expected, Reasons& reasons) {
    const auto reader = EventLogReader::open(log);
    if (!reader.ok()) {
        reasons.add(AppraisalError::log_malformed, "log header");
        return std::nullopt;
    }
    if (!banks_good(reader.value().banks(), expected, reasons)) return std::nullopt;
    const auto pcrs = replay(log, expected, 0x00);
    if (!pcrs) {
        reasons.add(AppraisalError::log_malformed, "log");
        return std::nullopt;
    }
    if (!matches(*pcrs, quote.get())) {
        reasons.add(explain(quote.get(), log, expected), text_of("PCR digest"),
                    hex_of(composite(*pcrs, quote->pcrSelect).view()), hex_of(quote->pcrDigest));
        return std::nullopt;
    }
    return Verified<ByteView>{log};
}

} // namespace casemate::attest
