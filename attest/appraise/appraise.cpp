// SPDX-License-Identifier: Apache-2.0
// See appraisal.hpp: the stages in their order.
#include "attest/appraise/appraisal.hpp"
#include "attest/appraise/gate_check.hpp"
#include "attest/appraise/launch_record.hpp"
#include "attest/appraise/reference_match.hpp"
#include "attest/appraise/verify.hpp"

namespace casemate::attest {

namespace {

/// Everything after the fixed beginning of the log.
bool replay_custody(LogWalker& walker, const LaunchRecord& record, Appraisal& appraisal) {
    std::array<measure::VmId, policy::max_vms> ids;
    const std::size_t count = record.vm_definitions.size();
    for (std::size_t i = 0; i < count; ++i) ids[i] = measure::vm_id_of(record.vm_definitions[i]);
    appraisal.custody = CustodyReplay{*appraisal.reference->policy, record.launch_id, {ids.data(), count}};
    while (!walker.at_end()) {
        const auto entry = walker.expect_ledger_entry(appraisal.reasons);
        if (!entry) return false;
        if (appraisal.custody.apply(*entry)) continue;
        const bool early = entry->kind <= measure::LedgerKind::vm_defined;
        appraisal.reasons.add(early ? AppraisalError::ledger_order : AppraisalError::ledger_custody,
                              walker.position(), {}, text_of(name_of(entry->kind)));
        return false;
    }
    return true;
}

/// The log's grammar, and its start as values. Also read when the replay failed, to say what is strange about it.
bool read_log(ByteView log, const measure::Banks& banks, LaunchRecord& record, std::optional<LogWalker>& walker,
              Reasons& reasons) {
    const auto reader = measure::EventLogReader::open(log);
    if (!reader.ok()) return false; // refused before
    walker.emplace(reader.value(), banks);
    return read_launch_record(*walker, record, reasons);
}

/// How the hypervisor says it was started; a quote with launch PCRs and another word contradict each other.
bool launch_kind_good(const LaunchRecord& record, Reasons& reasons) {
    if (record.launch_kind == launch::LaunchKind::skinit) return true;
    reasons.add(AppraisalError::launch_kind, text_of("launch kind"),
                text_of(static_cast<std::uint64_t>(launch::LaunchKind::skinit)),
                text_of(static_cast<std::uint64_t>(record.launch_kind)));
    return false;
}

bool judge(const EvidenceBundle& evidence, const Expectation& expectation, Appraisal& appraisal) {
    Reasons& reasons = appraisal.reasons;
    if (!measure::EventLogReader::open(evidence.log).ok()) { // no log, no launch id to check the nonce with
        reasons.add(AppraisalError::log_malformed, "log header");
        return false;
    }
    const auto quote =
        Verifier::verify_quote(evidence, expectation, claimed_launch_id(evidence.log), reasons);
    if (!quote) return false;
    appraisal.clock = quote->get().clockInfo;

    std::optional<FirmwarePcrs> firmware;
    if (quotes_firmware(quote->get())) {
        firmware = replay_firmware(evidence.firmware_log, expectation.banks, reasons);
        if (!firmware) return false;
    }
    appraisal.log = Verifier::verify_log(*quote, evidence.log, firmware ? &*firmware : nullptr, expectation.banks, reasons);
    const bool explainable =
        reasons.contains(AppraisalError::log_replay) || reasons.contains(AppraisalError::not_launched);
    if (!appraisal.log && !explainable) return false; // said all there is to say

    LaunchRecord record;
    std::optional<LogWalker> walker;
    if (!read_log(evidence.log, expectation.banks, record, walker, reasons)) return false;
    if (!launch_kind_good(record, reasons) || !appraisal.log) return false;
    appraisal.launch_id = record.launch_id;

    std::optional<FirmwareReplay> replay;
    if (firmware) replay.emplace(FirmwareReplay{evidence.firmware_log, *firmware});
    appraisal.reference = match_reference(record, replay ? &*replay : nullptr, expectation.references, expectation.rules,
                                          expectation.banks, reasons);
    return appraisal.reference != nullptr && replay_custody(*walker, record, appraisal);
}

} // namespace

void Appraisal::clear() {
    verdict = Verdict::contraindicated;
    reasons.clear();
    clock.reset();
    log.reset();
    launch_id = {};
    reference = nullptr;
    custody = {};
    gates.clear();
    leases.clear();
}

void appraise(const EvidenceBundle& evidence, const Expectation& expectation, Appraisal& appraisal) {
    appraisal.clear();
    if (!judge(evidence, expectation, appraisal)) return;
    appraisal.verdict = Verdict::affirming;
    check_gates(evidence, *appraisal.reference->policy, appraisal);
    check_leases(evidence, appraisal);
}

} // namespace casemate::attest
