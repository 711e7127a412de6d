// SPDX-License-Identifier: Apache-2.0
// One piece of evidence against the facts that it must agree with. The facts are all that a verdict depends on beside the
// evidence and the reference sets, so that a stored result can be judged again and gives the same verdict.
// Pure but for throwing CryptoFailure when the stored AK is no key. Called for evidence, dry runs and repeated appraisals.
#pragma once

#include <memory>

#include "attest/appraise/appraisal.hpp"
#include "attest/verifier/context.hpp"
#include "attest/verifier/reference_set.hpp"

namespace casemate::verifier {

struct Facts {
    Bytes ak_public;          // TPMT_PUBLIC, as enrolled
    std::string banks;        // active at enrolment
    Bytes nonce;
    std::string challenge_id;
    std::optional<store::ClockInfo> previous_clock;
    std::string state = "active"; // of the platform
    Millis now = 0;
    std::int64_t minimum_epoch = 0; // of policies, a rule of the fleet
    KeyFacts keys{};
};

[[nodiscard]] Facts facts_of(const store::Platform& platform, const Context& context);
[[nodiscard]] Facts facts_of(const store::Platform& platform, Millis now, std::int64_t minimum_epoch);
/// Do the same platform and rules stand behind both? Time and challenge may differ.
[[nodiscard]] bool same_ground(const Facts& a, const Facts& b);

/// What of the facts the result's own row does not hold, with the ids of the sets: AppraisalRecord::expectation.
[[nodiscard]] std::string to_expectation(const Facts& facts, const References& references);
struct RecordedFacts {
    Facts facts;
    std::vector<std::string> references;
};
/// Nothing for a row of a verifier that did not keep them yet.
[[nodiscard]] std::optional<RecordedFacts> recorded_facts(const store::AppraisalRecord& record);

/// The banks of an enrolment that every quote must cover; sha1 proves nothing and is not asked for.
[[nodiscard]] measure::Banks quoted_banks(const std::string& enrolled);

class Judgement {
public:
    /// The bundle must outlive this.
    Judgement(const attest::EvidenceBundle& evidence, const Facts& facts, References references);

    [[nodiscard]] bool affirming() const { return appraisal_->verdict == attest::Verdict::affirming; }
    [[nodiscard]] const char* verdict() const { return affirming() ? "affirming" : "contraindicated"; }
    /// `[{code, detail}]`, empty when affirming.
    [[nodiscard]] const Json& reasons() const { return reasons_; }
    /// A sentence for a person: the first finding, what was expected and what was seen, and what to do.
    [[nodiscard]] const std::string& explanation() const { return explanation_; }
    /// Of a platform that is out of service: empty.
    [[nodiscard]] const attest::Appraisal& appraisal() const { return *appraisal_; }
    [[nodiscard]] std::optional<store::ClockInfo> clock() const;
    /// Id of the set that matched, or empty.
    [[nodiscard]] std::string reference() const;

private:
    void appraise(const attest::EvidenceBundle& evidence, const Facts& facts);

    References references_;
    std::vector<attest::ReferenceSet> sets_;
    /// Too large for a stack, and for the heap each time: a thread keeps one for its next judgement.
    struct Kept {
        void operator()(attest::Appraisal* appraisal) const;
    };
    [[nodiscard]] static std::unique_ptr<attest::Appraisal, Kept> blank();
    std::unique_ptr<attest::Appraisal, Kept> appraisal_;
    Json reasons_ = Json::array();
    std::string explanation_;
};

} // namespace casemate::verifier
