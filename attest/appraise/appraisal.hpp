// SPDX-License-Identifier: Apache-2.0
// The appraisal of evidence: a pure function from evidence, expectation and reference values to a verdict with reasons.
// No I/O, no clock, no allocation; the same library predicts (casemate-predict), so predictor = verifier.
// Who calls it: the verifier, once for each piece of evidence; tests. Thread-safe: no state.
// Order: signature, nonce, PCR selection, clock; the log's replay; its grammar; reference values; custody; then each
// gate and lease. A stage that fails ends the appraisal, since nothing after it would mean anything.
#pragma once

#include "attest/appraise/appraisal_error.hpp"
#include "attest/appraise/custody_replay.hpp"
#include "attest/appraise/reasons.hpp"
#include "attest/appraise/reference.hpp"
#include "attest/evidence/evidence_bundle.hpp"
#include "attest/evidence/tpm_structures.hpp"

namespace casemate::attest {

/// What the verifier knows and asked for. Views: valid during appraise().
struct Expectation {
    const measure::P256PublicKey& attestation_key; // as enrolled: restricted, bound to the EK
    ByteView nonce;                                // >= 32 random bytes, used once
    std::string_view challenge_id;
    measure::Banks banks; // active banks recorded at enrolment, without sha1: each must be quoted with PCR 17-22
    std::optional<TPMS_CLOCK_INFO> previous_clock; // of the last accepted evidence
    std::span<const ReferenceSet> references;
    ReferenceRules rules{};
};

enum class Verdict : std::uint8_t { contraindicated, affirming };

/// A gate of the evidence that the verifier may grant, or why not.
struct GateResult {
    std::size_t index = 0; // in EvidenceBundle::gates
    std::optional<AppraisalError> refusal;
    std::size_t device = 0; // in policy::Policy::devices; only without refusal
    std::size_t vm = 0;     // in policy::Policy::vms; only without refusal
    measure::GateRequest request; // only without refusal
};

/// A lease that the verifier may renew, or why not.
struct LeaseResult {
    std::size_t index = 0; // in EvidenceBundle::leases
    std::optional<AppraisalError> refusal;
    std::size_t device = 0; // as above
    std::size_t vm = 0;
};

inline constexpr std::size_t max_gates = policy::max_devices * policy::max_holders;

struct Appraisal {
    Verdict verdict = Verdict::contraindicated; // affirming: reasons is empty
    Reasons reasons;
    /// Only when signature, nonce and selection are good.
    std::optional<TPMS_CLOCK_INFO> clock;
    /// Only when the log replays to the quote.
    std::optional<Verified<ByteView>> log;
    measure::LaunchId launch_id{};         // only with `log`
    const ReferenceSet* reference = nullptr; // the set that matches wholly
    CustodyReplay custody;                 // state at the end of the ledger; only when affirming
    FixedList<GateResult, max_gates> gates;   // only when affirming; gates beyond the capacity are not granted
    FixedList<LeaseResult, policy::max_devices> leases;

    /// As new, without writing all of it once more.
    void clear();
};

/// Fills `appraisal` (about 100 KiB: keep it off small stacks).
void appraise(const EvidenceBundle& evidence, const Expectation& expectation, Appraisal& appraisal);

} // namespace casemate::attest
