// SPDX-License-Identifier: Apache-2.0
// The whole appraisal behind a good signature: the fuzzer writes the log and the gates; quote and nonce are made to fit
// them, as a hostile but enrolled platform could. Nothing but the reference launch may be affirmed, and no crash.
#include "tests/unit/evidence_builder.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

/// A log that parses, from fuzzer bytes: pcr selector, type selector, size, data; digests are over the data.
std::vector<TestEvent> events_from(const EvidenceBuilder& good, LittleEndianReader& in) {
    std::vector<TestEvent> events;
    while (in.remaining() >= 4 && events.size() < 64) {
        const std::uint8_t choice = in.u8();
        if (choice < 0x80 && choice < good.log_events.size()) { // one of the good launch
            events.push_back(good.log_events[choice]);
            continue;
        }
        const auto pcr = std::uint32_t{16} + choice % 8;
        const std::uint32_t type = in.u8() < 0xf0 ? measure::EV_EVENT_TAG : measure::EV_NO_ACTION;
        const ByteView data = in.bytes(std::min<std::size_t>(in.u16() % 512, in.remaining()));
        events.push_back({pcr, type, measure::hash_all(good.log_banks, data), copy(data)});
    }
    return events;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static EvidenceBuilder evidence;
    static const std::vector<TestEvent> good = evidence.log_events;
    static const std::vector<Bytes> good_gates = evidence.gates;
    evidence.log_events = good;
    evidence.gates = good_gates;
    LittleEndianReader in{{data, size}};
    const std::size_t kept = in.u8() % (good.size() + 1); // so much of the good launch goes before
    std::vector<TestEvent> events(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(kept));
    for (TestEvent& event : events_from(evidence, in)) events.push_back(std::move(event));
    evidence.log_events = std::move(events);
    evidence.gates.push_back(copy({data, std::min<std::size_t>(size, 300)}));
    const Appraisal& appraisal = evidence.appraise();
    const bool affirmed = appraisal.verdict == attest::Verdict::affirming;
    if (affirmed != appraisal.reasons.empty()) std::abort();
    // Affirmed: the launch that is accepted came first, whole.
    for (std::size_t i = 0; affirmed && i < 7; ++i) {
        if (evidence.log_events[i].data != good[i].data) std::abort();
    }
    return 0;
}
