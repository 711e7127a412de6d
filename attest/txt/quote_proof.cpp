// SPDX-License-Identifier: Apache-2.0
// See quote_proof.hpp.
#include "attest/txt/quote_proof.hpp"

#include "attest/txt/ak_file.hpp"
#include "attest/txt/replay_story.hpp"
#include "attest/verifier/encoding.hpp"

namespace casemate::txt {

namespace {

using attest::PcrSelection;
using attest::Quote;
using measure::TPM_ALG_ID;

constexpr std::uint32_t firmware_pcrs = 0xffff;  // PCR 0-15
constexpr std::uint32_t who_and_what = 3U << 17; // PCR 17 and 18

std::string pcr_list(std::uint32_t mask) {
    std::string text;
    for (std::uint32_t pcr = 0; pcr < 32; ++pcr)
        if ((mask >> pcr & 1) != 0) text += (text.empty() ? "" : ", ") + std::to_string(pcr);
    return text;
}

std::optional<Quote> read_quote(const QuoteFiles& files, Findings& findings) {
    const auto parsed = attest::parse_quote(files.message);
    if (parsed) return parsed.value().claimed();
    switch (parsed.error()) {
    case attest::StructureError::magic: findings.refuse(TxtReason::quote_magic, "the message was not made by a TPM (its magic is not ff544347)"); break;
    case attest::StructureError::type: findings.refuse(TxtReason::quote_type, "the message is another attestation than a quote"); break;
    case attest::StructureError::malformed: findings.refuse(TxtReason::quote_malformed, "the message is no TPMS_ATTEST of exact length"); break;
    }
    return std::nullopt;
}

bool signature_good(const QuoteFiles& files, Findings& findings) {
    const auto ak = read_ak(files.ak);
    if (!ak) {
        findings.refuse(TxtReason::ak_malformed, "the AK is no TPM2B_PUBLIC, TPMT_PUBLIC or PEM of an RSA or ECC signing key");
        return false;
    }
    switch (check_signature(*ak, files.message, files.signature)) {
    case SignatureCheck::good: break;
    case SignatureCheck::bad: findings.refuse(TxtReason::signature_invalid, "the signature is not this key's over this message"); return false;
    case SignatureCheck::malformed:
        findings.refuse(TxtReason::signature_malformed, "the signature is no TPMT_SIGNATURE, or one with SHA-1, and no plain one of this key");
        return false;
    }
    if (ak->restricted == AkFile::Restricted::no) {
        findings.refuse(TxtReason::ak_attributes, "the key is not a restricted one of its TPM: it signs quotes that nobody quoted");
        return false;
    }
    if (ak->restricted == AkFile::Restricted::unknown)
        findings.remark(TxtReason::ak_unrestricted, "whether the key is restricted to what its TPM made is not shown: PEM does not say");
    return true;
}

void check_freshness(const Quote& quote, const QuoteFiles& files, Findings& findings) {
    const std::string seen = verifier::to_hex(quote.extraData);
    if (!files.nonce) findings.remark(TxtReason::nonce_unchecked, "no --nonce: the quote may be an old one; its qualifying data is " + seen);
    else if (!equal(*files.nonce, quote.extraData)) findings.refuse(TxtReason::nonce_mismatch, "the quote's qualifying data is " + seen);
    if (!quote.clockInfo.safe) findings.remark(TxtReason::clock_unsafe, "the TPM's clock may have been set back");
}

/// A value of every selected PCR is known from the log.
bool all_logged(const LaunchLog& log, const Quote& quote, Findings& findings) {
    const std::uint32_t known = launch_pcr_mask | (log.firmware ? firmware_pcrs : 0);
    for (const PcrSelection& selection : quote.pcrSelect) {
        const std::string name = measure::digest_size(selection.bank) == 0 ? "an unknown bank" : measure::name_of(selection.bank);
        const std::uint32_t unknown = log.banks.contains(selection.bank) ? selection.pcrs & ~known : selection.pcrs;
        if (unknown == 0) continue;
        findings.refuse(TxtReason::pcr_not_logged, "the quote has PCR " + pcr_list(unknown) + " of " + name +
                                                       ", this log not: the values of all quoted PCRs are needed (--pcrs)");
        return false;
    }
    return true;
}

void prove_together(const LaunchLog& log, const Quote& quote, QuoteProof& proof, Findings& findings) {
    if (!all_logged(log, quote, findings)) return;
    if (const auto difference = tell_story(log, quote)) return findings.refuse(difference->reason, difference->detail);
    for (BankProof& bank : proof.banks) bank.proved = bank.quoted;
}

/// Compares each PCR of a bank with the values, which it takes from the front of `rest`.
void prove_bank(const LaunchLog& log, const PcrReplay& replay, BankProof& bank, ByteView& rest, Findings& findings) {
    const std::size_t size = measure::digest_size(bank.bank);
    for (std::uint32_t pcr = 0; pcr < pcr_count; ++pcr) {
        if ((bank.quoted >> pcr & 1) == 0) continue;
        const ByteView value = rest.first(size);
        rest = rest.subspan(size);
        const std::uint32_t bit = 1U << pcr;
        const bool logged = log.banks.contains(bank.bank) && ((launch_pcr_mask | replay.touched()) & bit) != 0;
        if (!logged) continue; // said by the caller
        if (equal(replay.value(bank.bank, pcr).view(), value)) bank.proved |= bit;
        else findings.refuse(state_of(value), "PCR " + std::to_string(pcr) + " of " + measure::name_of(bank.bank) + " is " + verifier::to_hex(value) +
                                                  ", the log gives " + verifier::to_hex(replay.value(bank.bank, pcr).view()));
    }
    const std::uint32_t open = bank.quoted & ~bank.proved & ~(launch_pcr_mask | replay.touched());
    if (open != 0) findings.remark(TxtReason::pcr_not_logged, "PCR " + pcr_list(open) + " of " + measure::name_of(bank.bank) + " is quoted, but not in this log");
}

void prove_each(const LaunchLog& log, const Quote& quote, ByteView file, QuoteProof& proof, Findings& findings) {
    const auto values = quoted_values(file, quote.pcrSelect);
    std::size_t wanted = 0;
    for (const BankProof& bank : proof.banks) wanted += measure::digest_size(bank.bank) * static_cast<std::size_t>(__builtin_popcount(bank.quoted & 0xffffff));
    const auto hash = composite_hash(quote);
    if (!values || values->size() != wanted || !hash || !equal(measure::hash(*hash, *values).view(), quote.pcrDigest))
        return findings.refuse(TxtReason::pcr_values, "the PCR values beside the quote are not those that were quoted");
    PcrReplay replay{log.banks};
    for (const Record& record : log.records) replay.apply(record);
    ByteView rest{*values};
    for (BankProof& bank : proof.banks) prove_bank(log, replay, bank, rest, findings);
}

/// PCR 17 and 18 of one bank that counts.
void weigh(const LaunchLog& log, QuoteProof& proof, Findings& findings) {
    PcrReplay replay{log.banks};
    for (const Record& record : log.records) replay.apply(record);
    bool only_sha1 = true;
    std::uint32_t whole = 0;
    for (const BankProof& bank : proof.banks) {
        if (bank.bank == TPM_ALG_ID::SHA1 || (bank.quoted & who_and_what) == 0) continue;
        only_sha1 = false;
        if (!log.banks.contains(bank.bank)) continue;
        const std::uint32_t holes = replay.incomplete(bank.bank) & launch_pcr_mask;
        if (holes != 0) findings.remark(TxtReason::bank_incomplete, std::string{"bank "} + measure::name_of(bank.bank) + " misses an event of PCR " +
                                                                        pcr_list(holes) + ": it counts for nothing");
        else if ((bank.quoted & who_and_what) == who_and_what) whole |= bank.proved;
    }
    proof.proved = whole;
    if ((whole & who_and_what) == who_and_what || findings.refused()) return;
    if (only_sha1) findings.refuse(TxtReason::bank_sha1_only, "PCR 17 and 18 are quoted in SHA-1 only, which proves nothing");
    else if (findings.contains(TxtReason::bank_incomplete)) findings.refuse(TxtReason::bank_incomplete, "no quoted bank has every event of PCR 17-22");
    else findings.refuse(TxtReason::pcr_selection, "PCR 17 and 18 of one bank must be quoted together");
}

} // namespace

QuoteProof check_quote(const LaunchLog& log, const QuoteFiles& files, Findings& findings) {
    QuoteProof proof;
    const auto quote = read_quote(files, findings);
    if (!quote || !signature_good(files, findings)) return proof;
    check_freshness(*quote, files, findings);
    for (const PcrSelection& selection : quote->pcrSelect) proof.banks.push_back({selection.bank, selection.pcrs, 0});
    if (files.values) prove_each(log, *quote, *files.values, proof, findings);
    else prove_together(log, *quote, proof, findings);
    weigh(log, proof, findings);
    return proof;
}

} // namespace casemate::txt
