// SPDX-License-Identifier: Apache-2.0
// See trust_vector.hpp. Values: draft-ietf-rats-ar4si 2.3.4.
#include "attest/verifier/trust_vector.hpp"

namespace casemate::verifier {
namespace {

using attest::AppraisalError;

enum Value : int {
    no_claim = 0,
    trustworthy_instance = 2,  // also approved configuration
    approved_boot = 3,         // only approved executables were loaded at the launch
    unrecognized_runtime = 33, // executables that nobody accepted
    contraindicated = 96,      // a known instance that is not trusted; a configuration that is not accepted
    crypto_failed = 99,        // a signature or digest does not hold
};

bool is_about_configuration(AppraisalError error) {
    switch (error) {
    case AppraisalError::owner_key_differs:
    case AppraisalError::policy_differs:
    case AppraisalError::policy_epoch:
    case AppraisalError::policy_epoch_low:
    case AppraisalError::owner_key_unknown:
    case AppraisalError::owner_key_not_yet_valid:
    case AppraisalError::owner_key_expired:
    case AppraisalError::owner_key_revoked:
    case AppraisalError::grant_key_unknown:
    case AppraisalError::grant_key_not_yet_valid:
    case AppraisalError::grant_key_expired:
    case AppraisalError::grant_key_revoked:
    case AppraisalError::vm_count:
    case AppraisalError::vm_command_line_differs:
    case AppraisalError::vm_definition_differs: return true;
    default: return false;
    }
}

Json vector_of(int identity, int configuration, int executables) {
    return {{"instance-identity", identity}, {"configuration", configuration}, {"executables", executables},
            {"hardware", no_claim}}; // the EK certificate was checked at enrolment; evidence says nothing of the machine
}

} // namespace

Json trust_vector(const Judgement& judgement) {
    if (judgement.affirming()) return vector_of(trustworthy_instance, trustworthy_instance, approved_boot);
    const attest::Appraisal& appraisal = judgement.appraisal();
    if (appraisal.reasons.empty()) return vector_of(contraindicated, no_claim, no_claim); // out of service
    if (!appraisal.clock) return vector_of(crypto_failed, no_claim, no_claim);
    if (!appraisal.log) return vector_of(trustworthy_instance, no_claim, crypto_failed);
    int configuration = no_claim;
    int executables = no_claim;
    for (const attest::Reason& reason : appraisal.reasons) {
        if (is_about_configuration(reason.error)) configuration = contraindicated;
        else executables = unrecognized_runtime;
    }
    return vector_of(trustworthy_instance, configuration, executables);
}

} // namespace casemate::verifier
