// SPDX-License-Identifier: Apache-2.0
// See reference.hpp: a log against it.
#include "attest/txt/reference.hpp"
#include "attest/verifier/encoding.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

using measure::Digest;
using measure::TPM_ALG_ID;

bool contains(const std::vector<Digest>& accepted, const Digest* seen) {
    return seen != nullptr && std::find(accepted.begin(), accepted.end(), *seen) != accepted.end();
}

std::string hex(const Digest* digest) { return digest == nullptr ? "none" : verifier::to_hex(digest->view()); }

class Comparison {
public:
    Comparison(TPM_ALG_ID bank, const LaunchLog& log, Findings& findings)
        : bank_{bank}, log_{log}, findings_{findings}, matches_(log.records.size(), Match::not_compared), replay_{log.banks} {
        for (const Record& record : log.records) replay_.apply(record);
    }

    void compare_value(std::uint32_t pcr, const std::vector<Digest>& accepted) {
        const Digest& seen = replay_.value(bank_, pcr);
        const bool good = contains(accepted, &seen);
        if (!good)
            findings_.refuse(TxtReason::pcr_differs, "PCR " + std::to_string(pcr) + " is " + hex(&seen) + ", the reference has " + hex(&accepted.front()));
        for (std::size_t i = 0; i < matches_.size(); ++i)
            if (of_pcr(log_.records[i], pcr) && matches_[i] == Match::not_compared) matches_[i] = good ? Match::matched : Match::differs;
    }

    void compare_events(std::uint32_t pcr, const std::vector<ReferenceEvent>& events) {
        std::size_t next = 0;
        for (std::size_t i = 0; i < matches_.size(); ++i) {
            const Record& record = log_.records[i];
            if (!of_pcr(record, pcr)) continue;
            const bool good = next < events.size() && is(record, events[next]);
            matches_[i] = good ? Match::matched : Match::differs;
            if (!good) explain(record, next < events.size() ? &events[next] : nullptr);
            ++next;
        }
        if (next < events.size())
            findings_.refuse(TxtReason::reference_event_missing, "PCR " + std::to_string(pcr) + " has " + std::to_string(next) + " events, the reference " +
                                                                     std::to_string(events.size()) + ": first missing is " + type_name(events[next].type));
    }

    [[nodiscard]] std::vector<Match> take() { return std::move(matches_); }

private:
    static bool of_pcr(const Record& record, std::uint32_t pcr) { return is_extended(record) && record.event.pcr == pcr; }

    bool is(const Record& record, const ReferenceEvent& event) const {
        return record.event.type == event.type && contains(event.accepted, record.event.digests.find(bank_));
    }

    void explain(const Record& record, const ReferenceEvent* expected) {
        const std::string seen = title_of(record) + " is " + hex(record.event.digests.find(bank_));
        if (expected == nullptr) findings_.refuse(TxtReason::reference_event_unknown, record, seen + ", the reference has no further event");
        else if (expected->type != record.event.type)
            findings_.refuse(TxtReason::reference_event_differs, record, seen + ", the reference has " + type_name(expected->type) + " here");
        else findings_.refuse(TxtReason::reference_event_differs, record, seen + ", the reference has " + hex(&expected->accepted.front()));
    }

    TPM_ALG_ID bank_;
    const LaunchLog& log_;
    Findings& findings_;
    std::vector<Match> matches_;
    PcrReplay replay_;
};

} // namespace

std::vector<Match> compare(const ReferenceBank& reference, TPM_ALG_ID bank, const LaunchLog& log, Findings& findings) {
    Comparison comparison{bank, log, findings};
    for (const auto& [pcr, events] : reference.events) comparison.compare_events(pcr, events);
    for (const auto& [pcr, accepted] : reference.values) comparison.compare_value(pcr, accepted);
    return comparison.take();
}

} // namespace casemate::txt
