// SPDX-License-Identifier: Apache-2.0
// See evidence_attacks.hpp. Log positions: 0 slb, 1 hypervisor, 2 owner_key, 3 policy, 4 launched, from 5 on vm_defined
// (docs/interfaces/ledger.md).
#include "tests/platform/attacks/evidence_attacks.hpp"

#include "attest/appraise/launch_record.hpp"
#include "attest/evidence/evidence_bundle.hpp"
#include "attest/relay/encoding.hpp"
#include "dlaunch/measure/event_log.hpp"

#include <algorithm>

namespace casemate::platform_test {

namespace {

struct Record {
    std::size_t start = 0, end = 0;
    measure::LogEvent event;
};

Bytes bytes_of(const Json& text) { return relay::from_base64(text.get<std::string>()).value_or(Bytes{}); }

/// Where each TCG_PCR_EVENT2 lies: pcr, type, count, digests with their algorithms, size, data.
std::vector<Record> records_of(const Bytes& log) {
    std::vector<Record> records;
    auto reader = measure::EventLogReader::open(log);
    while (reader.ok() && !reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) break;
        std::size_t size = 16 + event.value().data.size();
        for (const measure::Digest& digest : event.value().digests) size += 2 + digest.view().size();
        const auto end = static_cast<std::size_t>(event.value().data.data() - log.data()) + event.value().data.size();
        records.push_back({end - size, end, event.value()});
    }
    return records;
}

using ChangeLog = std::function<void(Bytes& log, const std::vector<Record>& records)>;

EvidenceAttack on_log(std::string name, std::string words, ChangeLog change) {
    return {std::move(name), std::move(words), [change = std::move(change)](Json& evidence, const Overheard&) {
                Bytes log = bytes_of(evidence["log"]);
                const auto records = records_of(Bytes{log});
                if (records.size() > 7) change(log, records_of(log));
                evidence["log"] = relay::to_base64(log);
            }};
}

void swap_neighbours(Bytes& log, const Record& first, const Record& second) {
    const auto at = [&](std::size_t offset) { return log.begin() + static_cast<std::ptrdiff_t>(offset); };
    std::rotate(at(first.start), at(second.start), at(second.end));
}

/// The same log without its sha384 digests.
void drop_bank(Bytes& log, const std::vector<Record>& records) {
    Bytes buffer(log.size() + 1024);
    measure::Banks banks;
    if (!banks.add(measure::TPM_ALG_ID::SHA256)) return;
    auto writer = measure::EventLogWriter::create(buffer, banks);
    for (const Record& record : records) {
        measure::DigestSet digests;
        (void)digests.add(*record.event.digests.find(measure::TPM_ALG_ID::SHA256));
        if (!writer.ok() || !writer.value().append(record.event.pcr, digests, record.event.data).ok()) return;
    }
    const ByteView kept = writer.value().log();
    log = Bytes{kept.begin(), kept.end()};
}

/// The other TPM answers the very challenge that was for this one.
void quote_by(const OtherTpm& other, Json& evidence, const Json& challenge) {
    const auto qualifying = attest::qualifying_data(bytes_of(challenge["nonce"]), attest::claimed_launch_id(bytes_of(evidence["log"])),
                                                    challenge["challenge_id"].get<std::string>());
    const OtherTpm::Quote quote = other.quote(relay::to_hex(qualifying));
    evidence["quote"] = relay::to_base64(quote.attest);
    evidence["signature"] = relay::to_base64(quote.signature);
}

} // namespace

std::vector<EvidenceAttack> evidence_attacks(const OtherTpm& other) {
    return {
        {"a nonce that is not the verifier's", "nonce_mismatch", {}, [](Json& challenge) {
             Bytes nonce = bytes_of(challenge["nonce"]);
             nonce[0] ^= 1;
             challenge["nonce"] = relay::to_base64(nonce);
         }},
        {"evidence that was sent before", "challenge_used",
         [](Json& evidence, const Overheard& seen) { evidence = seen.earlier; }},
        {"an old quote under a new challenge", "nonce_mismatch",
         [](Json& evidence, const Overheard& seen) {
             const Json id = evidence["challenge_id"];
             evidence = seen.earlier;
             evidence["challenge_id"] = id;
         }},
        {"another platform's quote for this challenge", "signature_invalid",
         [&other](Json& evidence, const Overheard& seen) { quote_by(other, evidence, seen.challenge); }},
        {"one bit of the quote flipped", "signature_invalid",
         [](Json& evidence, const Overheard&) {
             Bytes quote = bytes_of(evidence["quote"]);
             quote.back() ^= 1; // of the PCR digest
             evidence["quote"] = relay::to_base64(quote);
         }},
        {"a quote of one bank only", "pcr_selection", {}, [](Json& challenge) { challenge["pcr_selection"].erase("sha384"); }},
        on_log("a log without one of the banks", "log_banks", drop_bank),
        on_log("a log without its last entry", "log_replay",
               [](Bytes& log, const std::vector<Record>& records) { log.resize(records.back().start); }),
        on_log("a log that ends within a record", "log_malformed", [](Bytes& log, const std::vector<Record>&) { log.pop_back(); }),
        on_log("a log with two VMs exchanged", "log_replay ledger_sequence",
               [](Bytes& log, const std::vector<Record>& records) { swap_neighbours(log, records[5], records[6]); }),
        on_log("a log with two launch events exchanged", "log_replay event_order",
               [](Bytes& log, const std::vector<Record>& records) { swap_neighbours(log, records[2], records[3]); }),
        on_log("an event with another type", "event_type",
               [](Bytes& log, const std::vector<Record>& records) { log[records[1].start + 4] ^= 1; }),
        on_log("an event with an unknown tag", "event_unknown",
               [](Bytes& log, const std::vector<Record>& records) { log[records[1].end - records[1].event.data.size()] ^= 0x40; }),
    };
}

} // namespace casemate::platform_test
