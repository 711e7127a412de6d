// SPDX-License-Identifier: Apache-2.0
// See txt_evidence.hpp.
#include "attest/cli/txt_evidence.hpp"

#include <cstdio>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/txt/event_type.hpp"
#include "attest/verifier/encoding.hpp"

namespace casemate::cli {
namespace {

using txt::Explanation;
using txt::ExplainedRecord;
using verifier::Bytes;
using verifier::Json;

Bytes bytes_of(const std::string& path) {
    const std::string text = read_file(path);
    return verifier::to_bytes(verifier::as_bytes(text));
}

std::optional<txt::QuoteFiles> quote_of(const TxtOptions& options) {
    if (options.quote.empty() && options.signature.empty() && options.ak.empty()) {
        if (!options.nonce.empty() || !options.pcrs.empty()) throw CannotRun("--nonce and --pcrs belong to a quote: --quote, --signature, --ak");
        return std::nullopt;
    }
    if (options.quote.empty() || options.signature.empty() || options.ak.empty()) throw CannotRun("a quote needs --quote, --signature and --ak");
    txt::QuoteFiles files{bytes_of(options.quote), bytes_of(options.signature), bytes_of(options.ak), {}, {}};
    if (!options.nonce.empty()) {
        files.nonce = verifier::from_hex(options.nonce);
        if (!files.nonce) throw CannotRun("--nonce is lower-case hexadecimal, whole bytes");
    }
    if (!options.pcrs.empty()) files.values = bytes_of(options.pcrs);
    return files;
}

std::optional<txt::Reference> reference_of(const TxtOptions& options) {
    if (options.references.empty()) return std::nullopt;
    if (options.references.size() > 1) throw CannotRun("a TXT log is compared with one --reference; accepted digests are lists inside it");
    const std::string& path = options.references.front();
    const auto document = verifier::parse_object(read_file(path));
    if (!document) throw CannotRun(path + ": " + document.error().detail);
    auto reference = txt::Reference::parse(document.value());
    if (!reference) throw CannotRun(path + ": " + reference.error().detail);
    return std::move(reference).value();
}

const char* match_word(txt::Match match) {
    switch (match) {
    case txt::Match::matched: return "matches";
    case txt::Match::differs: return "differs";
    case txt::Match::not_compared: break;
    }
    return "not compared";
}

const char* proof_word(const ExplainedRecord& record) {
    if (!record.extended) return "not extended";
    return record.proved ? "proved" : "unproved";
}

Json json_of(const ExplainedRecord& explained) {
    const txt::Record& record = explained.record;
    Json digests = Json::object();
    for (const measure::Digest& digest : record.event.digests) digests[measure::name_of(digest.algorithm)] = verifier::to_hex(digest.view());
    return {{"record", record.number}, {"offset", record.offset}, {"pcr", record.event.pcr}, {"type", record.event.type}, {"name", title_of(record)},
            {"words", explained.words}, {"extended", explained.extended}, {"proved", explained.proved}, {"data_proved", explained.data_proved},
            {"reference", match_word(explained.match)}, {"digests", std::move(digests)}, {"data", verifier::to_hex(record.event.data)}};
}

/// PCR 17-22 and remarks in full; what firmware measured only as a number, for it may be hundreds.
bool is_shown(const ExplainedRecord& explained) {
    return explained.record.header || !explained.extended || measure::is_launch_pcr(explained.record.event.pcr) ||
           explained.record.event.type >= txt::EVTYPE_PCRMAPPING;
}

void print_record(const ExplainedRecord& explained) {
    const txt::Record& record = explained.record;
    const auto digests = record.event.digests;
    const measure::Digest* best = digests.find(measure::TPM_ALG_ID::SHA256);
    if (best == nullptr && digests.size() != 0) best = digests.begin();
    std::printf("%5u  %-28s %-12s %-12s %s\n", record.number, title_of(record).c_str(), proof_word(explained), match_word(explained.match), explained.words.c_str());
    if (best != nullptr && explained.extended) std::printf("       %s %s\n", measure::name_of(best->algorithm), verifier::to_hex(best->view()).c_str());
    if (explained.extended && !record.event.data.empty() && !explained.data_proved && measure::is_launch_pcr(record.event.pcr))
        std::printf("       its data (%zu bytes) is only what the log says\n", record.event.data.size());
}

void print(const Explanation& explanation) {
    std::printf("%s\n%s\n", name_of(explanation.verdict), explanation.summary().c_str());
    for (const txt::Finding& finding : explanation.findings.all()) {
        std::printf("  %s %s  %s", finding.severity == txt::Severity::refused ? "refused" : "remark ", name_of(finding.reason), finding.detail.c_str());
        if (finding.record != 0) std::printf(" (record %u, byte %zu)", finding.record, finding.offset);
        std::printf("\n");
    }
    if (explanation.log.launched) std::printf("PCR map %s\n", name_of(explanation.log.map));
    for (const auto& [value, pcr] : explanation.pcrs)
        std::printf("PCR %u %s %s%s\n", pcr, measure::name_of(value.algorithm), verifier::to_hex(value.view()).c_str(),
                    (explanation.proof.proved >> pcr & 1) != 0 ? "" : " (by the log alone)");
    std::size_t firmware = 0;
    for (const ExplainedRecord& record : explanation.records) {
        if (is_shown(record)) print_record(record);
        else ++firmware;
    }
    if (firmware != 0) std::printf("and %zu records of PCR 0-16, which firmware and others extended\n", firmware);
}

} // namespace

Json json_of(const Explanation& explanation) {
    Json reasons = Json::array(), records = Json::array(), pcrs = Json::array();
    for (const txt::Finding& finding : explanation.findings.all())
        reasons.push_back({{"code", name_of(finding.reason)}, {"refuses", finding.severity == txt::Severity::refused}, {"record", finding.record},
                           {"offset", finding.offset}, {"detail", finding.detail}});
    for (const ExplainedRecord& record : explanation.records) records.push_back(json_of(record));
    for (const auto& [value, pcr] : explanation.pcrs)
        pcrs.push_back({{"pcr", pcr}, {"bank", measure::name_of(value.algorithm)}, {"value", verifier::to_hex(value.view())},
                        {"proved", (explanation.proof.proved >> pcr & 1) != 0}});
    return {{"verdict", name_of(explanation.verdict)}, {"explanation", explanation.summary()}, {"map", name_of(explanation.log.map)},
            {"reasons", std::move(reasons)}, {"pcrs", std::move(pcrs)}, {"records", std::move(records)}};
}

void explain_txt(const TxtOptions& options, const std::string& log) {
    const auto quote = quote_of(options);
    const auto reference = reference_of(options);
    const Explanation explanation = txt::explain(verifier::as_bytes(log), quote ? &*quote : nullptr, reference ? &*reference : nullptr);
    if (options.json) std::printf("%s\n", json_of(explanation).dump(2).c_str());
    else print(explanation);
    const bool passes = explanation.verdict == txt::TxtVerdict::affirming || explanation.verdict == txt::TxtVerdict::proven;
    if (!passes) throw Refused{};
}

} // namespace casemate::cli
