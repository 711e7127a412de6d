// SPDX-License-Identifier: Apache-2.0
// See launch_log.hpp: the form of a log, record by record.
#include "attest/txt/event_type.hpp"
#include "attest/txt/launch_log.hpp"

namespace casemate::txt {

namespace {

constexpr std::uint32_t last_pcr = 23;

const char* sentence_of(TxtReason fault) {
    switch (fault) {
    case TxtReason::log_text: return "this is text, as txt-stat prints it; what is needed is the raw log";
    case TxtReason::log_tpm12: return "this is the log of a TPM 1.2: it has SHA-1 only, which proves nothing";
    case TxtReason::log_too_long: return "a log has at most 512 KiB";
    case TxtReason::log_header: return "no crypto-agile header (EV_NO_ACTION, Spec ID Event03) lies here";
    case TxtReason::record_truncated: return "the log ends within this record";
    case TxtReason::record_digests: return "its digests are not those of the header: one is of another algorithm, or there twice, or they are too many";
    default: return "a log has at most 4096 records";
    }
}

class Checker {
public:
    Checker(const LaunchLog& log, Findings& findings) : log_{log}, findings_{findings}, grammar_{log.map} {}

    void check(const Record& record) {
        if (record.header) return;
        if (!is_extended(record)) return check_remark(record);
        if (measure::is_launch_pcr(record.event.pcr)) return check_launch(record);
        if (record.event.type >= EVTYPE_PCRMAPPING && event_type(record.event.type) != nullptr)
            findings_.refuse(TxtReason::event_pcr, record, title_of(record) + ": an event of a launch outside PCR 17-22");
    }

    void finish() {
        for (const std::uint32_t pcr : {17U, 18U})
            while (const auto type = grammar_.next_missing(pcr))
                findings_.refuse(TxtReason::event_missing, "PCR " + std::to_string(pcr) + " has no " + type_name(*type));
    }

private:
    void check_remark(const Record& record) {
        if (record.event.pcr > last_pcr && !names_no_pcr(record))
            findings_.refuse(TxtReason::event_pcr, record, "there is no PCR " + std::to_string(record.event.pcr));
        // With a TPM 2.0 there is one map only, and the remark says 0.
        const ByteView data = record.event.data;
        if (record.event.type == EVTYPE_PCRMAPPING && !data.empty() && data[0] == 1 && log_.map == PcrMap::legacy)
            findings_.remark(TxtReason::map_differs, record, "the log says details/authorities, its events are those of the legacy map");
    }

    void check_launch(const Record& record) {
        check_missing(record);
        if (record.event.type == EVTYPE_CAP_VALUE || record.event.type == EVTYPE_RANDOM_VALUE) return check_cap(record);
        if (event_type(record.event.type) == nullptr)
            return findings_.refuse(TxtReason::event_unknown, record, title_of(record) + ": no known event of a launch");
        if (const auto verdict = grammar_.take(record)) findings_.refuse(verdict->reason, record, sentence(record, *verdict));
        if (const auto reason = check_payload(record)) findings_.refuse(*reason, record, sentence(record, {*reason, 0}));
    }

    /// In one bank only it is about that bank: SINIT caps those that it cannot measure into.
    void check_cap(const Record& record) {
        if (record.missing.size() == 0) findings_.refuse(TxtReason::launch_capped, record, title_of(record) + " in every bank");
        for (const measure::Digest& digest : record.event.digests)
            if (record.missing.size() != 0)
                findings_.remark(TxtReason::launch_capped, record, std::string{"bank "} + measure::name_of(digest.algorithm) + " is capped");
    }

    void check_missing(const Record& record) {
        for (const measure::TPM_ALG_ID bank : record.missing)
            if (record.event.type != EVTYPE_CAP_VALUE)
                findings_.remark(TxtReason::digest_missing, record,
                                 title_of(record) + ": no digest in " + measure::name_of(bank) + ", the header declares one");
    }

    static std::string sentence(const Record& record, const Grammar::Verdict& verdict) {
        const std::string title = title_of(record);
        switch (verdict.reason) {
        case TxtReason::event_missing: return title + ": before it " + type_name(verdict.type) + " is missing";
        case TxtReason::event_repeated: return title + ": there already";
        case TxtReason::event_order: return title + ": behind its place";
        case TxtReason::event_pcr: return title + ": this event belongs in another PCR";
        case TxtReason::event_payload: return title + ": data of a size that this event has not";
        case TxtReason::event_digest: return title + ": the digest is not that of the data";
        case TxtReason::hash_start_zero: return title + ": measured over 36 zero bytes, so PCR 17 does not tell which SINIT ran (a fault of the platform)";
        default: return title;
        }
    }

    const LaunchLog& log_;
    Findings& findings_;
    Grammar grammar_;
};

} // namespace

void check_log(const LaunchLog& log, Findings& findings) {
    Checker checker{log, findings};
    for (const Record& record : log.records) checker.check(record);
    if (log.fault) findings.refuse(*log.fault, sentence_of(log.fault->reason));
    else if (!log.launched) findings.refuse(TxtReason::no_launch, "no record extends PCR 17-22: this is no log of a launch");
    else checker.finish();
}

} // namespace casemate::txt
