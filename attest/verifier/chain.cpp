// SPDX-License-Identifier: Apache-2.0
// See chain.hpp.
#include "attest/verifier/chain.hpp"

#include <algorithm>
#include <array>

#include "attest/appraise/launch_record.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/evidence_body.hpp"
#include "attest/verifier/explanation.hpp"
#include "attest/verifier/grants.hpp"

namespace casemate::verifier {
namespace {

using attest::AppraisalError;
using attest::CustodyState;

enum class Link { quote, log, launch, hypervisor, policy, vms, custody };
constexpr std::array names{"quote", "log", "launch", "hypervisor", "policy", "vms", "custody"};

/// What a word of the appraisal is about.
Link link_of(AppraisalError error) {
    if (error <= AppraisalError::clock_value) return Link::quote;
    if (error == AppraisalError::not_launched || error == AppraisalError::launch_not_finished) return Link::launch;
    if (error <= AppraisalError::event_digest) return Link::log;
    if (error <= AppraisalError::ledger_custody) return Link::custody;
    if (error >= AppraisalError::vm_count) return Link::vms;
    if (error == AppraisalError::hypervisor_differs) return Link::hypervisor;
    return error <= AppraisalError::reference_bank || error == AppraisalError::slb_differs ? Link::launch : Link::policy;
}

bool differs(const attest::Appraisal& appraisal, Link link) {
    return std::any_of(appraisal.reasons.begin(), appraisal.reasons.end(),
                       [&](const attest::Reason& reason) { return link_of(reason.error) == link; });
}

/// Whether what was launched was held against a reference set.
bool compared(const attest::Appraisal& appraisal) {
    if (appraisal.reference != nullptr) return true;
    return std::any_of(appraisal.reasons.begin(), appraisal.reasons.end(), [](const attest::Reason& reason) {
        return reason.error > AppraisalError::reference_bank && reason.error <= AppraisalError::vm_definition_differs;
    });
}

bool proved(const attest::Appraisal& appraisal, Link link) {
    switch (link) {
    case Link::quote: return appraisal.clock.has_value();
    case Link::log: return appraisal.log.has_value();
    case Link::custody: return appraisal.verdict == attest::Verdict::affirming;
    default: return appraisal.log.has_value() && compared(appraisal);
    }
}

/// Nothing is good because nobody looked.
const char* status_of(const attest::Appraisal& appraisal, Link link) {
    if (differs(appraisal, link)) return "differs";
    return proved(appraisal, link) ? "good" : "unknown";
}

Json links_of(const attest::Appraisal& appraisal) {
    Json links = Json::array();
    for (std::size_t i = 0; i < names.size(); ++i)
        links.push_back({{"name", names[i]}, {"status", status_of(appraisal, static_cast<Link>(i))}});
    return links;
}

std::string sha256_of(const measure::DigestSet& digests) {
    const measure::Digest* digest = digests.find(measure::TPM_ALG_ID::SHA256);
    return digest != nullptr ? to_hex(digest->view()) : std::string{};
}

Json vm_of(ByteView encoded, const attest::Appraisal& appraisal) {
    const auto definition = measure::parse_vm_definition(encoded);
    const measure::VmId id = measure::vm_id_of(encoded);
    const std::string name{definition ? definition->name : std::string_view{}};
    const bool bad = std::any_of(appraisal.reasons.begin(), appraisal.reasons.end(), [&](const attest::Reason& reason) {
        return link_of(reason.error) == Link::vms && reason.component.view() == name;
    });
    const auto index = appraisal.verdict == attest::Verdict::affirming ? appraisal.custody.find_vm(id) : std::nullopt;
    Json vm{{"name", name}, {"vm_id", to_hex(id)}, {"status", bad ? "differs" : compared(appraisal) ? "good" : "unknown"}};
    if (definition) vm["memory_mib"] = definition->memory_mib;
    if (index) vm["running"] = appraisal.custody.vm(*index).running;
    return vm;
}

const char* name_of(CustodyState state) {
    switch (state) {
    case CustodyState::quarantined: return "quarantined";
    case CustodyState::resetting: return "resetting";
    case CustodyState::reset: return "reset";
    case CustodyState::assigned: return "assigned";
    case CustodyState::draining: return "draining";
    case CustodyState::drained: return "drained";
    }
    return "";
}

std::string hex4(std::uint16_t number) {
    const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    return to_hex(bytes);
}

/// As the ledger left them; of an affirming verdict only.
Json devices_of(const attest::Appraisal& appraisal) {
    Json devices = Json::array();
    if (appraisal.verdict != attest::Verdict::affirming) return devices;
    const policy::Policy& policy = *appraisal.reference->policy;
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const policy::Device& device = policy.devices[i];
        const attest::DeviceCustody& custody = appraisal.custody.device(i);
        Json holders = Json::array();
        for (std::size_t holder = 0; holder < device.holder_count; ++holder)
            holders.push_back(to_hex(appraisal.custody.vm(device.holders[holder]).id));
        Json row{{"device", verifier::name_of(device.address)}, {"id", hex4(device.vendor) + ":" + hex4(device.device_id)},
                 {"state", name_of(custody.state)}, {"may_hold", holders}};
        if (custody.state != CustodyState::quarantined) row["holder"] = to_hex(appraisal.custody.vm(custody.holder).id);
        devices.push_back(std::move(row));
    }
    return devices;
}

/// Only of a log that replays to the quote: what it says was measured.
void add_launch(const attest::Appraisal& appraisal, const std::string& banks, Json& answer) {
    if (!appraisal.log) return;
    const auto reader = measure::EventLogReader::open(appraisal.log->get());
    if (!reader.ok()) return;
    attest::LogWalker walker{reader.value(), quoted_banks(banks)};
    attest::LaunchRecord record;
    attest::Reasons ignored; // those of the appraisal are in the answer
    if (!attest::read_launch_record(walker, record, ignored)) return;
    answer["launch"] = {{"launch_id", to_hex(record.launch_id)}, {"slb", sha256_of(record.slb_digests)},
                        {"hypervisor", sha256_of(record.hypervisor_digests)}, {"policy", sha256_of(record.policy_digests)},
                        {"policy_epoch", record.policy.epoch}};
    for (const ByteView& definition : record.vm_definitions) answer["vms"].push_back(vm_of(definition, appraisal));
}

Json to_json(const attest::Reason& reason) {
    return {{"code", attest::name_of(reason.error)}, {"meaning", meaning_of(reason.error)}, {"component", reason.component.view()},
            {"expected", reason.expected.view()}, {"seen", reason.seen.view()}};
}

} // namespace

Answer Chain::of(const std::string& platform_id) const {
    const std::optional<store::Platform> platform = context_.store.platform(platform_id);
    if (!platform) return refuse(404, "platform_unknown", "no such platform");
    const auto listed = context_.store.inventory_entry(platform_id);
    Json answer{{"platform_id", platform_id}, {"label", listed ? listed->label : ""}, {"state", platform->state},
                {"now", context_.now()}, {"at", 0}, {"verdict", ""}, {"explanation", "This platform has given no evidence yet."},
                {"reasons", Json::array()}, {"links", links_of(*std::make_unique<attest::Appraisal>())}, {"vms", Json::array()}, {"devices", Json::array()}};
    const auto record = context_.store.newest_result(platform_id);
    if (record) TRY(add_evidence(*record, answer));
    return answer;
}

Status<ApiError> Chain::add_evidence(const store::AppraisalRecord& record, Json& answer) const {
    const std::optional<RecordedFacts> recorded = recorded_facts(record);
    if (!recorded) return refuse(409, "facts_unknown", "the newest result was stored without what it was judged against");
    const References sets = TRY(references_.archived(recorded->references));
    const Json body = TRY(parse_object(record.evidence));
    const EvidenceBody evidence = TRY(EvidenceBody::parse(body));
    const attest::EvidenceBundle bundle = evidence.bundle();
    const Judgement judgement{bundle, recorded->facts, sets};
    const attest::Appraisal& appraisal = judgement.appraisal();
    answer["at"] = record.at;
    answer["result_id"] = record.id;
    answer["verdict"] = record.verdict;
    answer["explanation"] = judgement.explanation();
    answer["reasons"] = Json::parse(record.reasons);
    answer["reference_id"] = judgement.reference();
    if (!appraisal.reasons.empty()) answer["first"] = to_json(*appraisal.reasons.begin());
    answer["links"] = links_of(appraisal);
    answer["devices"] = devices_of(appraisal);
    add_launch(appraisal, recorded->facts.banks, answer);
    return Done{};
}

} // namespace casemate::verifier
