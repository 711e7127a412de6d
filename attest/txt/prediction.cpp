// SPDX-License-Identifier: Apache-2.0
// See prediction.hpp.
#include "attest/txt/prediction.hpp"

#include "attest/txt/event_type.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

using measure::DigestSet;
using measure::TPM_ALG_ID;

std::uint32_t pcr_of_mle(PcrMap map) { return map == PcrMap::legacy ? 18 : 17; }

/// The MLE's digest in its place: behind the capabilities in PCR 17, or first in PCR 18.
void place_mle(const PredictionInput& input, std::vector<PredictedEvent>& events) {
    const std::uint32_t pcr = pcr_of_mle(input.map);
    const PredictedEvent mle{pcr, EVTYPE_MLE_HASH, measure::hash_all(input.banks, *input.mle)};
    const auto old = std::find_if(events.begin(), events.end(), [](const PredictedEvent& each) { return each.type == EVTYPE_MLE_HASH; });
    if (old != events.end()) {
        *old = mle;
        return;
    }
    const std::uint32_t before = input.map == PcrMap::legacy ? 0 : EVTYPE_OSSINITDATA_CAP_HASH;
    auto place = events.begin();
    if (before != 0) {
        place = std::find_if(events.begin(), events.end(), [&](const PredictedEvent& each) { return each.pcr == pcr && each.type == before; });
        if (place != events.end()) ++place;
    }
    events.insert(place, mle);
}

DigestSet policy_event(const PredictionInput& input) {
    const ByteView policy = input.policy ? ByteView{*input.policy} : default_policy(input.map);
    DigestSet digests;
    for (const TPM_ALG_ID bank : input.banks) digests.add(calculate_policy_event(policy, bank, bank));
    return digests;
}

DigestSet module_event(const PredictionInput& input, const Module& module) {
    DigestSet digests;
    for (const TPM_ALG_ID bank : input.banks) digests.add(calculate_module_event(module.command_line, module.image, bank));
    return digests;
}

void place_tboot(const PredictionInput& input, std::vector<PredictedEvent>& events) {
    std::erase_if(events, [](const PredictedEvent& each) { return each.type == EVTYPE_TBOOT_MEASUREMENT; });
    const DigestSet policy = policy_event(input);
    events.push_back({17, EVTYPE_TBOOT_MEASUREMENT, policy});
    if (input.map == PcrMap::details_authorities) events.push_back({18, EVTYPE_TBOOT_MEASUREMENT, policy});
    for (std::size_t i = 0; i < input.modules.size(); ++i)
        events.push_back({pcr_of_module(input.map, i), EVTYPE_TBOOT_MEASUREMENT, module_event(input, input.modules[i])});
}

/// What the grammar misses or does not allow, as a sentence; empty when it is whole.
std::string fault_of(PcrMap map, const std::vector<PredictedEvent>& events) {
    Grammar grammar{map};
    for (const PredictedEvent& each : events) {
        Record record;
        record.event = {each.pcr, each.type, each.digests, {}};
        const auto verdict = grammar.take(record);
        if (!verdict) continue;
        if (verdict->reason == TxtReason::event_missing) return type_name(verdict->type) + " of PCR " + std::to_string(each.pcr);
        return title_of(record) + ", which does not belong there,";
    }
    for (const std::uint32_t pcr : {17U, 18U})
        if (const auto missing = grammar.next_missing(pcr)) return type_name(*missing) + " of PCR " + std::to_string(pcr);
    return {};
}

Reference reference_of(const PredictionInput& input, const std::vector<PredictedEvent>& events, const PcrReplay& pcrs) {
    Reference reference;
    reference.map = input.map;
    for (const TPM_ALG_ID bank : input.banks) {
        if (bank == TPM_ALG_ID::SHA1) continue;
        ReferenceBank& content = reference.banks[bank];
        for (const PredictedEvent& each : events)
            if (each.pcr != 18) content.events[each.pcr].push_back({each.type, {*each.digests.find(bank)}});
        content.values[18] = {pcrs.value(bank, 18)};
    }
    return reference;
}

} // namespace

Result<PredictionInput, std::string> facts_of(ByteView file) {
    const LaunchLog log = read_launch_log(file);
    Findings findings;
    check_log(log, findings);
    for (const Finding& each : findings.all())
        if (each.severity == Severity::refused) return Failure{"the captured log: " + each.detail};
    PredictionInput input;
    input.map = log.map;
    PcrReplay pcrs{log.banks};
    for (const Record& record : log.records) pcrs.apply(record);
    for (const TPM_ALG_ID bank : log.banks)
        if ((pcrs.incomplete(bank) & launch_pcr_mask) == 0) (void)input.banks.add(bank);
    if (input.banks.size() == 0) return Failure{std::string{"the captured log has no bank with all events"}};
    for (const Record& record : log.records)
        if (is_extended(record) && measure::is_launch_pcr(record.event.pcr)) input.facts.push_back({record.event.pcr, record.event.type, record.event.digests});
    return input;
}

Result<Prediction, std::string> predict(const PredictionInput& input) {
    std::vector<PredictedEvent> events = input.facts;
    if (input.mle) place_mle(input, events);
    if (!input.modules.empty()) place_tboot(input, events);
    const std::string fault = fault_of(input.map, events);
    if (!fault.empty())
        return Failure{fault + " is not known: it cannot be computed without the machine; capture a log of it once (--log), or give it (--event)"};
    for (const PredictedEvent& each : events)
        for (const TPM_ALG_ID bank : input.banks)
            if (each.digests.find(bank) == nullptr) return Failure{type_name(each.type) + " has no digest in " + measure::name_of(bank)};
    PcrReplay pcrs{input.banks};
    for (const PredictedEvent& each : events) pcrs.extend(each.pcr, each.digests);
    return Prediction{events, reference_of(input, events, pcrs), pcrs};
}

} // namespace casemate::txt
