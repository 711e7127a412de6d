// SPDX-License-Identifier: Apache-2.0
// The log of a TXT launch: what is believed with a quote, and a reason of its own for each way to be wrong.
#include <catch2/catch.hpp>

#include "attest/txt/explanation.hpp"
#include "tests/unit/firmware_sample.hpp"
#include "tests/unit/txt_sample.hpp"

using namespace casemate;
using namespace casemate::test;
using namespace casemate::txt;
using measure::TPM_ALG_ID;

namespace {

const QuotingKey& shared_key() {
    static const QuotingKey key;
    return key;
}

/// The log with a quote over what it gives, which an honest machine has.
Explanation honest(const Bytes& log, const QuoteSample& quote = {}) {
    const QuoteFiles files = quote.files(pcrs_of(log), shared_key());
    return explain(log, &files, nullptr);
}

/// The first fault's word; empty when there is none.
std::string fault_of(const Explanation& explanation) {
    const Finding* fault = explanation.first_fault();
    return fault == nullptr ? "" : name_of(fault->reason);
}
std::string fault_of(const Bytes& log) { return fault_of(honest(log)); }
std::string fault_of(const TxtSample& sample) { return fault_of(sample.log()); }

template <typename Bend>
std::string bent(Bend bend, TxtSample sample = TxtSample::details()) {
    bend(sample);
    return fault_of(sample);
}

bool remarked(const Explanation& explanation, TxtReason reason) {
    for (const Finding& each : explanation.findings.all())
        if (each.reason == reason && each.severity == Severity::remark) return true;
    return false;
}

} // namespace

TEST_CASE("a quote over PCR 17 and 18 proves the events of a TXT launch and tells what each is", "[txt]") {
    const Bytes log = TxtSample::details().log();
    const Explanation explanation = honest(log);
    CHECK(fault_of(explanation).empty());
    CHECK(explanation.verdict == TxtVerdict::proven);
    CHECK(explanation.log.map == PcrMap::details_authorities);
    REQUIRE(explanation.records.size() == 21);
    CHECK_FALSE(explanation.records[0].extended); // PCRMAPPING
    CHECK_FALSE(explanation.records[0].proved);
    CHECK(explanation.records[1].proved);
    CHECK(explanation.records[1].data_proved);
    CHECK(explanation.records[8].words.ends_with(": 0x202"));
    CHECK_FALSE(explanation.records[9].data_proved); // the MLE's record has no data
    CHECK(explanation.records[17].words == "tboot's policy: not a built-in one");
    CHECK(explanation.records[19].words == "module 0 that tboot was given, with its command line");
    CHECK(explanation.records[20].words == "module 1 that tboot was given, with its command line");
    CHECK(explanation.records[1].record.number == 3);
    CHECK(explanation.records[1].record.offset == TxtSample::details().header().size() + TxtSample::details().record(TxtSample::details().events[0]).size());
}

TEST_CASE("without a quote a log is explained, unproven", "[txt]") {
    const Bytes log = TxtSample::details().log();
    const Explanation explanation = explain(log, nullptr, nullptr);
    CHECK(explanation.verdict == TxtVerdict::unproven);
    CHECK(explanation.findings.all().empty());
    for (const ExplainedRecord& record : explanation.records) CHECK_FALSE(record.proved);
}

TEST_CASE("the legacy map is recognised by the place of the MLE's digest", "[txt]") {
    TxtSample sample = TxtSample::legacy();
    const Bytes log = sample.log();
    const Explanation explanation = honest(log);
    CHECK(fault_of(explanation).empty());
    CHECK(explanation.log.map == PcrMap::legacy);
    CHECK(explanation.records[6].words == "module 0 that tboot was given, with its command line");
    sample.event(0xff, EVTYPE_PCRMAPPING).data = TxtSample::word(1);
    const Bytes other = sample.log();
    CHECK(remarked(honest(other), TxtReason::map_differs));
}

TEST_CASE("the measurement of tboot's built-in policy is recognised", "[txt]") {
    // What a real machine with a TPM 2.0 extends.
    const measure::Digest event = calculate_policy_event(default_policy(PcrMap::details_authorities), TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA256);
    const std::uint8_t known[] = {0x71, 0xbe, 0x58, 0x52, 0xa1, 0x4e, 0xab, 0xef, 0xeb, 0xf0, 0xdf, 0x0e, 0x1a, 0xcc, 0x5d, 0xa2,
                                  0x91, 0x88, 0x3b, 0x6d, 0x4c, 0x5a, 0xb2, 0x09, 0x14, 0xed, 0x98, 0x7c, 0x1d, 0xaf, 0x3f, 0x91};
    CHECK(equal(event.view(), known));
    measure::DigestSet digests;
    digests.add(event);
    CHECK(is_default_policy(digests));
    digests.add(measure::Digest::filled(TPM_ALG_ID::SHA384, 1));
    CHECK_FALSE(is_default_policy(digests));
}

TEST_CASE("remarks of the log are not extended", "[txt]") {
    TxtSample sample = TxtSample::details();
    sample.append({0xffffffff, 0x4ab, {1}});
    sample.append({255, 0x4ac, {2}, {}, {}, true});
    sample.append({17, TXT_EVTYPE_SLAUNCH_START, {}, {'x'}});
    sample.append({17, TXT_EVTYPE_SLAUNCH, {}, {'y'}});
    sample.append({18, TXT_EVTYPE_SLAUNCH, {}, {'z'}});
    sample.append({17, TXT_EVTYPE_SLAUNCH_END, {}, {'x'}});
    sample.append({17, 3, {1, 2}, {'x'}});
    const Bytes log = sample.log();
    const Explanation explanation = honest(log);
    CHECK(fault_of(explanation).empty());
    CHECK(explanation.log.trenchboot);
    // Only the two measurements changed the PCRs.
    TxtSample plain = TxtSample::details();
    plain.append({17, TXT_EVTYPE_SLAUNCH, {}, {'y'}});
    plain.append({18, TXT_EVTYPE_SLAUNCH, {}, {'z'}});
    CHECK(pcrs_of(log).value(TPM_ALG_ID::SHA256, 17) == pcrs_of(plain.log()).value(TPM_ALG_ID::SHA256, 17));
    // A machine that extended them is told from one that did not.
    PcrReplay wrong = pcrs_of(log);
    measure::DigestSet digests;
    digests.add(measure::hash(TPM_ALG_ID::SHA256, Bytes{'x'}));
    CHECK(pcrs_of(log).value(TPM_ALG_ID::SHA256, 17) == wrong.value(TPM_ALG_ID::SHA256, 17));
    wrong.extend(17, digests);
    const QuoteFiles files = QuoteSample{}.files(wrong, shared_key());
    CHECK(fault_of(explain(log, &files, nullptr)) == "log_replay");
}

TEST_CASE("zeros behind the last record and firmware's log before it are no fault", "[txt]") {
    TxtSample sample = TxtSample::details();
    sample.padding = 4000;
    CHECK(fault_of(sample).empty());
    sample.padding = 0;
    sample.events.insert(sample.events.begin(), {{0, 3, FirmwareSample::startup_locality(3)}, {0, 1, {1}}, {7, 4, {0, 0, 0, 0}}, {4, 0x80000003, {9}}});
    QuoteSample quote;
    quote.selection = {{TPM_ALG_ID::SHA256, 0x0600ff}};
    const Bytes one = sample.log();
    CHECK(fault_of(honest(one, quote)).empty());
    CHECK(pcrs_of(one).value(TPM_ALG_ID::SHA256, 0) == [] {
        measure::Digest value = measure::Digest::filled(TPM_ALG_ID::SHA256, 0);
        value.span().back() = 3;
        return measure::extended(value, measure::hash(TPM_ALG_ID::SHA256, Bytes{1}));
    }());
    // Two logs behind each other, of different banks.
    FirmwareSample firmware;
    Bytes two = firmware.log();
    const Bytes launch = TxtSample::details().log();
    two.insert(two.end(), launch.begin(), launch.end());
    const Explanation explanation = honest(two);
    CHECK(fault_of(explanation).empty());
    CHECK(explanation.records[6].record.header);
}

TEST_CASE("a log that is cut anywhere but between records is refused where it ends, and what is left is shown", "[txt]") {
    TxtSample sample = TxtSample::details();
    const Bytes whole = sample.log();
    std::vector<std::size_t> ends;
    std::size_t end = sample.header().size();
    ends.push_back(end);
    for (const TxtEvent& event : sample.events) ends.push_back(end += sample.record(event).size());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        const Explanation explanation = explain(ByteView{whole}.first(size), nullptr, nullptr);
        const bool between = std::find(ends.begin(), ends.end(), size) != ends.end();
        const std::string fault = fault_of(explanation);
        if (size < ends[0]) CHECK(fault == "log_header");
        else if (!between) CHECK(explanation.findings.contains(TxtReason::record_truncated));
        else if (size >= ends[16]) CHECK(fault.empty()); // what SINIT measures is there: only the quote tells that something is missing
        else CHECK(fault == (size <= ends[1] ? "no_launch" : "event_missing"));
    }
}

TEST_CASE("records that lie about their digests are refused, with their place", "[txt]") {
    const TxtSample sample = TxtSample::details();
    const Bytes good = sample.log();
    const std::size_t first = sample.header().size() + sample.record(sample.events[0]).size();
    const auto with = [&](std::size_t at, std::uint8_t byte) {
        Bytes log = good;
        log[first + at] = byte;
        return explain(log, nullptr, nullptr);
    };
    CHECK(fault_of(with(8, 3)) == "record_digests");   // more than the header has
    CHECK(fault_of(with(12, 0x0b)) == "record_digests"); // sha256 twice
    CHECK(fault_of(with(12, 0x27)) == "record_digests"); // one that the header has not
    const Explanation explanation = with(12, 0x27);
    CHECK(explanation.first_fault()->record == 3);
    CHECK(explanation.first_fault()->offset == first);
    CHECK(explanation.summary().starts_with("Record 3 at byte " + std::to_string(first)));
}

TEST_CASE("files that are something else say what they are", "[txt]") {
    const auto what = [](const std::string& text) { return fault_of(explain(ByteView{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, nullptr, nullptr)); };
    CHECK(what("Intel(r) TXT Configuration Registers:\n\tSTS: 0x0001c091\n\t    senter_done: TRUE\n\t    sexit_done: FALSE\n") == "log_text");
    CHECK(what(std::string("TXT Event Container\0", 20) + std::string(100, '\1')) == "log_tpm12");
    CHECK(what("") == "log_header");
    CHECK(fault_of(explain(Bytes(max_log + 1), nullptr, nullptr)) == "log_too_long");
    Bytes many = TxtSample::details().header();
    const Bytes record = TxtSample::details().record({17, 3, {}, {}, {}, true});
    for (std::uint32_t i = 0; i < max_records; ++i) many.insert(many.end(), record.begin(), record.end());
    CHECK(explain(many, nullptr, nullptr).findings.contains(TxtReason::record_count));
}

TEST_CASE("an event of unknown type, in a wrong PCR, out of order, twice or missing has its own reason", "[txt]") {
    CHECK(bent([](TxtSample&) {}).empty());
    CHECK(bent([](TxtSample& s) { s.append({17, 0x4ee, {1}}); }) == "event_unknown");
    CHECK(bent([](TxtSample& s) { s.append({19, 6, {1}}); }) == "event_unknown"); // another kind of launch's
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_STM_HASH).pcr = 18; }) == "event_pcr");
    CHECK(bent([](TxtSample& s) { s.append({18, EVTYPE_STM_HASH, {1}}); }) == "event_pcr");
    CHECK(bent([](TxtSample& s) { s.append({19, EVTYPE_MLE_HASH, {}, {1}}); }) == "event_pcr");
    CHECK(bent([](TxtSample& s) { s.append({4, EVTYPE_MLE_HASH, {}, {1}}); }) == "event_pcr");
    CHECK(bent([](TxtSample& s) { s.append({24, 1, {1}}); }) == "event_pcr");
    CHECK(bent([](TxtSample& s) { std::swap(s.event(17, EVTYPE_STM_HASH), s.event(17, EVTYPE_LCP_DETAILS_HASH)); }) == "event_missing");
    CHECK(bent([](TxtSample& s) { s.append({17, EVTYPE_KM_HASH, {1}}); }) == "event_order");
    CHECK(bent([](TxtSample& s) { s.append({17, EVTYPE_MLE_HASH, {}, {1}}); }) == "event_order");
    CHECK(bent([](TxtSample& s) { s.events.insert(s.events.begin() + 2, s.events[2]); }) == "event_repeated"); // KM
    CHECK(bent([](TxtSample& s) { s.events.insert(s.events.begin() + 1, s.events[1]); }) == "event_repeated"); // HASH_START
    for (const std::uint32_t type : {EVTYPE_HASH_START, EVTYPE_BIOSAC_REG_DATA, EVTYPE_CPU_SCRTM_STAT, EVTYPE_LCP_CONTROL_HASH, EVTYPE_LCP_DETAILS_HASH,
                                     EVTYPE_STM_HASH, EVTYPE_OSSINITDATA_CAP_HASH, EVTYPE_MLE_HASH}) {
        CAPTURE(type);
        if (type != EVTYPE_MLE_HASH) CHECK(bent([&](TxtSample& s) { s.erase(17, type); }) == "event_missing");
        else CHECK_FALSE(bent([&](TxtSample& s) { s.erase(17, type); }).empty());
    }
    for (const std::uint32_t type : {EVTYPE_SINIT_PUBKEY_HASH, EVTYPE_CPU_SCRTM_STAT, EVTYPE_OSSINITDATA_CAP_HASH, EVTYPE_LCP_CONTROL_HASH,
                                     EVTYPE_LCP_AUTHORITIES_HASH})
        CHECK(bent([&](TxtSample& s) { s.erase(18, type); }) == "event_missing");
    CHECK(bent([](TxtSample& s) { s.erase(17, EVTYPE_KM_HASH), s.erase(17, EVTYPE_NV_INFO_HASH), s.erase(18, EVTYPE_NV_INFO_HASH); }).empty());
    CHECK(bent([](TxtSample& s) { s.events.resize(12); }) == "event_missing"); // PCR 18 ends too early
}

TEST_CASE("data that the digest is not over is not believed", "[txt]") {
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_CPU_SCRTM_STAT).measured = {1}; }) == "event_digest");
    CHECK(bent([](TxtSample& s) { s.event(18, EVTYPE_OSSINITDATA_CAP_HASH).measured = {1}; }) == "event_digest");
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_HASH_START).measured = {1}; }) == "event_digest");
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_LCP_CONTROL_HASH).data = {1, 2, 3}; }) == "event_payload");
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_MLE_HASH).data = {1}; }) == "event_payload");
    CHECK(bent([](TxtSample& s) { s.event(18, EVTYPE_SINIT_PUBKEY_HASH).data = {1}; }) == "event_payload");
    TxtSample sample = TxtSample::details();
    sample.event(17, EVTYPE_BIOSAC_REG_DATA).measured = {9}; // of others it is only shown
    const Bytes log = sample.log();
    const Explanation explanation = honest(log);
    CHECK(fault_of(explanation).empty());
    CHECK(explanation.records[3].proved);
    CHECK_FALSE(explanation.records[3].data_proved);
}

TEST_CASE("HASH_START over 36 zero bytes is a fault of the platform with its own reason", "[txt]") {
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_HASH_START).data = Bytes(36); }) == "hash_start_zero");
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_HASH_START).measured = Bytes(36); }) == "hash_start_zero");
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_HASH_START).data.clear(), s.event(17, EVTYPE_HASH_START).measured = Bytes(36); }) == "hash_start_zero");
}

TEST_CASE("a record with fewer digests than the header declares makes its bank unusable, not fine", "[txt]") {
    TxtSample sample = TxtSample::details();
    sample.event(17, EVTYPE_TBOOT_MEASUREMENT, 1).without = {0}; // no SHA-1: tboot measures into one bank
    const Bytes log = sample.log();
    const Explanation fine = honest(log);
    CHECK(fault_of(fine).empty());
    CHECK(remarked(fine, TxtReason::digest_missing));
    sample.event(17, EVTYPE_TBOOT_MEASUREMENT, 1).without = {1};
    const Bytes hollow = sample.log();
    CHECK(fault_of(honest(hollow)) == "bank_incomplete");
    for (const ExplainedRecord& each : honest(hollow).records) CHECK_FALSE(each.proved);
    // Another bank that is whole proves what that one cannot.
    sample.algorithms.push_back({0x0c, 48});
    QuoteSample both;
    both.selection = {{TPM_ALG_ID::SHA256, 0x060000}, {TPM_ALG_ID::SHA384, 0x060000}};
    const Bytes mended = sample.log();
    const Explanation explanation = honest(mended, both);
    CHECK(fault_of(explanation).empty());
    CHECK(remarked(explanation, TxtReason::bank_incomplete));
    CHECK(explanation.records[20].proved);
    sample.event(17, EVTYPE_STM_HASH).no_digests = true;
    CHECK(fault_of(honest(sample.log(), both)) == "bank_incomplete");
}

TEST_CASE("SHA-1 alone proves nothing", "[txt]") {
    TxtSample sample = TxtSample::details();
    QuoteSample quote;
    quote.selection = {{TPM_ALG_ID::SHA1, 0x060000}};
    const Bytes log = sample.log();
    CHECK(fault_of(honest(log, quote)) == "bank_sha1_only");
    sample.algorithms.resize(1);
    const Bytes old = sample.log();
    CHECK(fault_of(honest(old, quote)) == "bank_sha1_only");
    CHECK(fault_of(explain(old, nullptr, nullptr)) == "bank_sha1_only");
}

TEST_CASE("an algorithm that we do not know is passed over; a cap in one bank is about that bank", "[txt]") {
    TxtSample sample = TxtSample::details();
    sample.algorithms.push_back({TxtSample::sm3, 32});
    CHECK(fault_of(sample).empty());
    sample.append({17, EVTYPE_CAP_VALUE, {}, {1}, {1, 2}}); // SHA-1 only
    const Bytes log = sample.log();
    const Explanation explanation = honest(log);
    CHECK(remarked(explanation, TxtReason::launch_capped));
    CHECK(bent([](TxtSample& s) { s.append({17, EVTYPE_CAP_VALUE, {1}}); }) == "launch_capped");
}

TEST_CASE("a header of a TPM with one bank of SHA-384 is as good", "[txt]") {
    TxtSample sample = TxtSample::details();
    sample.algorithms = {{0x0c, 48}};
    QuoteSample quote;
    quote.selection = {{TPM_ALG_ID::SHA384, 0x7e0000}};
    CHECK(fault_of(honest(sample.log(), quote)).empty());
}

TEST_CASE("a refusal behind any number of remarks refuses", "[txt]") {
    Findings findings;
    for (int i = 0; i < 1000; ++i) findings.remark(TxtReason::nonce_unchecked, "a remark");
    CHECK_FALSE(findings.refused());
    findings.refuse(TxtReason::signature_invalid, "a refusal");
    CHECK(findings.refused());
    CHECK(findings.contains(TxtReason::signature_invalid));
    for (int i = 0; i < 1000; ++i) findings.refuse(TxtReason::pcr_differs, "a refusal");
    CHECK(findings.all().size() == 128);
}
