// SPDX-License-Identifier: Apache-2.0
// See explanation.hpp.
#include "attest/verifier/explanation.hpp"

namespace casemate::verifier {
namespace {

using attest::AppraisalError;

/// What the operator should look at, by the stage that failed.
const char* next_step(AppraisalError error) {
    if (error <= AppraisalError::pcr_selection) return "Ask the platform for fresh evidence; if it repeats, quarantine it.";
    if (error <= AppraisalError::clock_value) return "The TPM was reset, exchanged or restored: find out which before it enrols again.";
    if (error <= AppraisalError::log_replay) return "The log does not tell what the TPM measured: look at the platform's boot.";
    if (error <= AppraisalError::ledger_custody) return "The hypervisor's log breaks its grammar: do not trust this launch.";
    if (error == AppraisalError::reference_missing) return "Import the reference set of the build that the platform runs.";
    if (error == AppraisalError::policy_epoch_low || error == AppraisalError::reference_expired)
        return "Update the platform to a build that is still accepted.";
    if (error >= AppraisalError::owner_key_unknown && error <= AppraisalError::owner_key_revoked)
        return "Have the policy signed by owners whose keys count, and roll it out.";
    if (error >= AppraisalError::grant_key_unknown && error <= AppraisalError::grant_key_revoked)
        return "Change this verifier's grant key, and roll a policy out that names the new one only.";
    if (error == AppraisalError::firmware_missing) return "Give its agent the firmware's log, or use a reference set without firmware.";
    if (error == AppraisalError::firmware_differs) return "If this firmware or its settings are yours, add their values to the reference set.";
    if (error == AppraisalError::reference_not_yet_valid) return "The build is accepted from that time on.";
    return "If this is a build of yours, import its reference set; if it is not, quarantine the platform.";
}

} // namespace

const char* meaning_of(AppraisalError error) {
    switch (error) {
    case AppraisalError::quote_malformed: return "the quote is not a TPM attestation structure";
    case AppraisalError::quote_magic: return "the quote was not made by a TPM";
    case AppraisalError::quote_type: return "the attestation structure is no quote";
    case AppraisalError::signature_malformed: return "the signature is not ECDSA with SHA-256";
    case AppraisalError::signature_invalid: return "the quote is not signed by this platform's attestation key";
    case AppraisalError::nonce_too_short: return "the verifier's nonce is too short";
    case AppraisalError::nonce_mismatch: return "the quote answers another challenge or launch";
    case AppraisalError::bank_refused: return "the quote covers a bank that proves nothing";
    case AppraisalError::firmware_not_quoted: return "a firmware log was sent but the quote does not cover PCR 0-7";
    case AppraisalError::firmware_log_missing: return "the quote covers PCR 0-7 but no firmware log was sent";
    case AppraisalError::pcr_selection: return "the quote does not cover the PCRs that were asked for";
    case AppraisalError::clock_unsafe: return "the TPM's clock may have lost time";
    case AppraisalError::clock_reset_count: return "the TPM's reset counter went back";
    case AppraisalError::clock_restart_count: return "the TPM's restart counter went back";
    case AppraisalError::clock_value: return "the TPM's clock went back";
    case AppraisalError::log_malformed: return "the event log does not parse";
    case AppraisalError::log_banks: return "the event log has other banks than the platform enrolled with";
    case AppraisalError::firmware_log_malformed: return "the firmware's event log does not parse";
    case AppraisalError::firmware_log_banks: return "the firmware's event log lacks a bank that is quoted";
    case AppraisalError::not_launched: return "no SKINIT launch was measured";
    case AppraisalError::launch_not_finished: return "the launch was not finished";
    case AppraisalError::log_replay: return "the event log does not replay to the quoted PCRs";
    case AppraisalError::event_type: return "the log has an event of a type that is not covered by replay";
    case AppraisalError::event_pcr: return "the log has an event in a PCR where it does not belong";
    case AppraisalError::event_unknown: return "the log has an unknown event";
    case AppraisalError::event_order: return "the log's events are out of order";
    case AppraisalError::event_missing: return "the log lacks an event";
    case AppraisalError::event_payload: return "an event's data does not parse";
    case AppraisalError::event_digest: return "an event's digest is not that of its data";
    case AppraisalError::ledger_malformed: return "a ledger entry does not parse";
    case AppraisalError::ledger_sequence: return "the ledger's numbers have a gap";
    case AppraisalError::ledger_time: return "the ledger's time goes back";
    case AppraisalError::ledger_order: return "the ledger begins in another way than a hypervisor's";
    case AppraisalError::ledger_custody: return "the ledger tells of custody that cannot have happened so";
    case AppraisalError::launch_kind: return "the hypervisor was not started by SKINIT";
    case AppraisalError::reference_missing: return "the verifier has no reference values";
    case AppraisalError::reference_bank: return "the reference values lack a quoted bank";
    case AppraisalError::reference_not_yet_valid: return "the matching reference set is not valid yet";
    case AppraisalError::reference_expired: return "the matching reference set is no longer valid";
    case AppraisalError::policy_epoch_low: return "the policy's epoch is below the least that the fleet accepts";
    case AppraisalError::owner_key_unknown: return "an owner's key that signed the policy is not one of those that count";
    case AppraisalError::owner_key_not_yet_valid: return "an owner's key that signed the policy does not count yet";
    case AppraisalError::owner_key_expired: return "an owner's key that signed the policy has expired";
    case AppraisalError::owner_key_revoked: return "an owner's key that signed the policy is revoked";
    case AppraisalError::grant_key_unknown: return "this verifier's grant key is not one of those that count";
    case AppraisalError::grant_key_not_yet_valid: return "this verifier's grant key does not count yet";
    case AppraisalError::grant_key_expired: return "this verifier's grant key has expired";
    case AppraisalError::grant_key_revoked: return "a grant key that the policy names, or this verifier's own, is revoked";
    case AppraisalError::slb_differs: return "the secure loader is not the accepted one";
    case AppraisalError::hypervisor_differs: return "the hypervisor is not the accepted one";
    case AppraisalError::owner_key_differs: return "the policy's owner is another one";
    case AppraisalError::policy_differs: return "the policy is not the accepted one";
    case AppraisalError::policy_epoch: return "the policy's epoch is not the accepted one";
    case AppraisalError::vm_count: return "the number of VMs is not the accepted one";
    case AppraisalError::vm_kernel_differs: return "a VM's kernel is not the accepted one";
    case AppraisalError::vm_initrd_differs: return "a VM's initrd is not the accepted one";
    case AppraisalError::vm_command_line_differs: return "a VM's command line is not the accepted one";
    case AppraisalError::vm_definition_differs: return "a VM is defined otherwise than accepted";
    case AppraisalError::firmware_missing: return "the reference set has firmware values and the evidence tells of no firmware";
    case AppraisalError::firmware_differs: return "the firmware measured something that is not accepted";
    case AppraisalError::gate_malformed: return "a gate request does not parse";
    case AppraisalError::gate_launch: return "a gate request is of another launch";
    case AppraisalError::gate_not_open: return "the ledger has no such open gate";
    case AppraisalError::gate_device: return "a gate's device is not in the policy";
    case AppraisalError::gate_holder: return "a gate's VM may not hold its device";
    case AppraisalError::gate_isolation: return "a gate's device cannot be isolated or reset";
    case AppraisalError::gate_tainted: return "a gate's device was held by another image and not reset";
    case AppraisalError::gate_repeated: return "a gate was sent twice";
    case AppraisalError::lease_not_held: return "the ledger knows no such lease";
    }
    return "unknown reason";
}

std::string explanation_of(const attest::Appraisal& appraisal) {
    if (appraisal.verdict == attest::Verdict::affirming)
        return "Passed: everything that was launched equals reference set " + std::string(appraisal.reference->name) + ".";
    if (appraisal.reasons.empty()) return "Refused.";
    const attest::Reason& first = *appraisal.reasons.begin();
    std::string text = std::string("Refused: ") + meaning_of(first.error) + " (" + std::string(first.component.view()) + ")";
    if (!first.expected.view().empty()) text.append("; expected ").append(first.expected.view());
    if (!first.seen.view().empty()) text.append("; seen ").append(first.seen.view());
    text += ". ";
    if (appraisal.reasons.size() > 1) text += std::to_string(appraisal.reasons.size() - 1) + " more differ. ";
    return text + next_step(first.error);
}

} // namespace casemate::verifier
