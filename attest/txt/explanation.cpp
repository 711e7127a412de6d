// SPDX-License-Identifier: Apache-2.0
// See explanation.hpp.
#include "attest/txt/explanation.hpp"

#include "attest/txt/event_type.hpp"

#include <array>

namespace casemate::txt {

namespace {

using measure::TPM_ALG_ID;

/// The reference's bank that the quote proves; without a quote the first that the log has.
std::optional<TPM_ALG_ID> bank_to_compare(const Explanation& explanation, const Reference& reference, bool quoted) {
    constexpr std::uint32_t who_and_what = 3U << 17;
    for (const auto& [bank, content] : reference.banks) {
        if (!explanation.log.banks.contains(bank)) continue;
        if (!quoted) return bank;
        for (const BankProof& proof : explanation.proof.banks)
            if (proof.bank == bank && (proof.proved & who_and_what) == who_and_what) return bank;
    }
    return std::nullopt;
}

std::vector<Match> compare_with(Explanation& explanation, const Reference* reference, bool quoted) {
    const std::vector<Match> nothing(explanation.log.records.size(), Match::not_compared);
    if (reference == nullptr) return nothing;
    const auto bank = bank_to_compare(explanation, *reference, quoted);
    if (!bank) {
        explanation.findings.refuse(TxtReason::reference_bank, quoted ? "the quote proves no bank that the reference has" : "the log has no bank of the reference");
        return nothing;
    }
    if (reference->map != explanation.log.map)
        explanation.findings.refuse(TxtReason::map_differs, std::string{"the reference is of the map "} + name_of(reference->map));
    return compare(reference->banks.at(*bank), *bank, explanation.log, explanation.findings);
}

void describe(Explanation& explanation, const std::vector<Match>& matches) {
    std::array<std::size_t, pcr_count> tboot_records{};
    for (std::size_t i = 0; i < explanation.log.records.size(); ++i) {
        const Record& record = explanation.log.records[i];
        ExplainedRecord explained{record, {}, is_extended(record), false, false, matches[i]};
        std::size_t ordinal = 0;
        if (explained.extended && record.event.type == EVTYPE_TBOOT_MEASUREMENT) ordinal = tboot_records[record.event.pcr]++;
        explained.words = words_of(explanation.log, record, ordinal);
        explained.proved = explained.extended && (explanation.proof.proved >> record.event.pcr & 1) != 0;
        explained.data_proved = explained.proved && !record.event.data.empty() && data_is_digested(record);
        explanation.records.push_back(std::move(explained));
    }
}

void replay(Explanation& explanation) {
    PcrReplay pcrs{explanation.log.banks};
    for (const Record& record : explanation.log.records) pcrs.apply(record);
    for (const TPM_ALG_ID bank : explanation.log.banks)
        for (std::uint32_t pcr = first_launch_pcr; pcr <= last_launch_pcr; ++pcr)
            if ((pcrs.touched() >> pcr & 1) != 0) explanation.pcrs.emplace_back(pcrs.value(bank, pcr), pcr);
}

void check_banks(Explanation& explanation) {
    const measure::Banks& banks = explanation.log.banks;
    if (banks.size() == 1 && banks.contains(TPM_ALG_ID::SHA1))
        explanation.findings.refuse(TxtReason::bank_sha1_only, "the log has SHA-1 only, which proves nothing");
}

TxtVerdict judge(const Explanation& explanation, bool quoted, bool compared) {
    if (explanation.findings.refused()) return TxtVerdict::refused;
    if (!quoted) return TxtVerdict::unproven;
    return compared ? TxtVerdict::affirming : TxtVerdict::proven;
}

} // namespace

const char* name_of(TxtVerdict verdict) {
    switch (verdict) {
    case TxtVerdict::affirming: return "affirming";
    case TxtVerdict::proven: return "proven";
    case TxtVerdict::unproven: return "unproven";
    case TxtVerdict::refused: break;
    }
    return "contraindicated";
}

const Finding* Explanation::first_fault() const {
    for (const Finding& each : findings.all())
        if (each.severity == Severity::refused) return &each;
    return nullptr;
}

std::string Explanation::summary() const {
    if (const Finding* fault = first_fault()) {
        const std::string where = fault->record == 0 ? "" : "Record " + std::to_string(fault->record) + " at byte " + std::to_string(fault->offset) + ": ";
        return where + fault->detail + ".";
    }
    switch (verdict) {
    case TxtVerdict::affirming: return "The quote proves these events, and they are the reference's.";
    case TxtVerdict::proven: return "The quote proves these events. Nothing was compared: no --reference says which of them are wanted.";
    default: return "The log is well-formed and nothing proves it: a quote (--quote, --signature, --ak) would.";
    }
}

Explanation explain(ByteView file, const QuoteFiles* quote, const Reference* reference) {
    Explanation explanation;
    explanation.log = read_launch_log(file);
    check_log(explanation.log, explanation.findings);
    check_banks(explanation);
    if (quote != nullptr) explanation.proof = check_quote(explanation.log, *quote, explanation.findings);
    const std::vector<Match> matches = compare_with(explanation, reference, quote != nullptr);
    replay(explanation);
    describe(explanation, matches);
    explanation.verdict = judge(explanation, quote != nullptr, reference != nullptr);
    return explanation;
}

} // namespace casemate::txt
