// SPDX-License-Identifier: Apache-2.0
// See verify.hpp: shape, signature, nonce, PCR selection, clock, in this order.
#include "attest/appraise/verify.hpp"

namespace casemate::attest {

namespace {

using measure::TPM_ALG_ID;

constexpr std::uint32_t launch_pcr_mask = 0x7e0000; // PCR 17-22
constexpr std::uint32_t firmware_pcr_mask = 0xff;   // PCR 0-7

AppraisalError error_of(StructureError error) {
    switch (error) {
    case StructureError::magic: return AppraisalError::quote_magic;
    case StructureError::type: return AppraisalError::quote_type;
    case StructureError::malformed: break;
    }
    return AppraisalError::quote_malformed;
}

bool signature_good(const EvidenceBundle& evidence, const Expectation& expectation, Reasons& reasons) {
    const auto signature = parse_signature(evidence.signature);
    if (!signature.ok()) {
        reasons.add(AppraisalError::signature_malformed, "signature");
        return false;
    }
    if (!expectation.attestation_key.verify(measure::sha256(evidence.quote), signature.value())) {
        reasons.add(AppraisalError::signature_invalid, "signature");
        return false;
    }
    return true;
}

bool nonce_good(const Quote& quote, const Expectation& expectation, const measure::LaunchId& launch,
                Reasons& reasons) {
    if (expectation.nonce.size() < min_nonce_size) {
        reasons.add(AppraisalError::nonce_too_short, "nonce");
        return false;
    }
    const auto expected = qualifying_data(expectation.nonce, launch, expectation.challenge_id);
    if (!equal(quote.extraData, expected)) {
        reasons.add(AppraisalError::nonce_mismatch, text_of("qualifying data"), hex_of(expected),
                    hex_of(quote.extraData));
        return false;
    }
    return true;
}

/// PCR 0-7 and the log that explains them come together or not at all.
bool firmware_whole(const Quote& quote, ByteView firmware_log, Reasons& reasons) {
    if (quotes_firmware(quote) == !firmware_log.empty()) return true;
    if (firmware_log.empty()) reasons.add(AppraisalError::firmware_log_missing, "firmware log");
    else reasons.add(AppraisalError::firmware_not_quoted, "PCR 0-7");
    return false;
}

/// Exactly the banks asked for, each once and with exactly PCR 17-22, and PCR 0-7 in all of them or in none; never SHA-1.
bool selection_good(const Quote& quote, const measure::Banks& expected, Reasons& reasons) {
    const std::uint32_t wanted = launch_pcr_mask | (quotes_firmware(quote) ? firmware_pcr_mask : 0);
    measure::Banks seen;
    for (const PcrSelection& selection : quote.pcrSelect) {
        if (selection.bank == TPM_ALG_ID::SHA1) {
            reasons.add(AppraisalError::bank_refused, "sha1");
            return false;
        }
        if (!expected.contains(selection.bank) || selection.pcrs != wanted || !seen.add(selection.bank)) {
            reasons.add(AppraisalError::pcr_selection, text_of(measure::name_of(selection.bank)),
                        text_of(std::uint64_t{wanted}), text_of(std::uint64_t{selection.pcrs}));
            return false;
        }
    }
    for (const TPM_ALG_ID bank : expected) {
        if (seen.contains(bank)) continue;
        reasons.add(AppraisalError::pcr_selection, text_of(measure::name_of(bank)), text_of("quoted"),
                    text_of("absent"));
        return false;
    }
    if (expected.size() == 0 || expected.contains(TPM_ALG_ID::SHA1)) {
        reasons.add(AppraisalError::bank_refused, "banks asked for");
        return false;
    }
    return true;
}

/// Nothing may fall: a restored or exchanged TPM would.
bool clock_good(const TPMS_CLOCK_INFO& now, const std::optional<TPMS_CLOCK_INFO>& before, Reasons& reasons) {
    const auto fell = [&](AppraisalError error, const char* what, std::uint64_t least, std::uint64_t seen) {
        reasons.add(error, text_of(what), text_of(least), text_of(seen));
        return false;
    };
    if (!now.safe) {
        reasons.add(AppraisalError::clock_unsafe, "clock");
        return false;
    }
    if (!before) return true;
    if (now.resetCount < before->resetCount)
        return fell(AppraisalError::clock_reset_count, "resetCount", before->resetCount, now.resetCount);
    if (now.resetCount == before->resetCount && now.restartCount < before->restartCount)
        return fell(AppraisalError::clock_restart_count, "restartCount", before->restartCount, now.restartCount);
    if (now.clock < before->clock) return fell(AppraisalError::clock_value, "clock", before->clock, now.clock);
    return true;
}

} // namespace

bool quotes_firmware(const Quote& quote) {
    return quote.pcrSelect.count != 0 && (quote.pcrSelect.begin()->pcrs & firmware_pcr_mask) != 0;
}

std::optional<Verified<Quote>> Verifier::verify_quote(const EvidenceBundle& evidence,
                                                      const Expectation& expectation,
                                                      const measure::LaunchId& claimed_launch, Reasons& reasons) {
    const auto parsed = parse_quote(evidence.quote);
    if (!parsed.ok()) {
        reasons.add(error_of(parsed.error()), "quote");
        return std::nullopt;
    }
    const Quote& quote = parsed.value().claimed();
    if (!signature_good(evidence, expectation, reasons)) return std::nullopt;
    if (!nonce_good(quote, expectation, claimed_launch, reasons)) return std::nullopt;
    if (!selection_good(quote, expectation.banks, reasons)) return std::nullopt;
    if (!firmware_whole(quote, evidence.firmware_log, reasons)) return std::nullopt;
    if (!clock_good(quote.clockInfo, expectation.previous_clock, reasons)) return std::nullopt;
    return Verified<Quote>{quote};
}

} // namespace casemate::attest
