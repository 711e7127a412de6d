// SPDX-License-Identifier: Apache-2.0
// Challenge, evidence, verdict: takes the challenge (once), hands the evidence to the pure appraiser, stores what
// came out with the evidence itself, and answers with grants. Nothing here judges evidence: attest/appraise does.
// Routes: POST .../challenges, POST .../evidence, GET .../orders.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "attest/verifier/grants.hpp"
#include "attest/verifier/judgement.hpp"

namespace casemate::verifier {

class Attestation {
public:
    /// `results_key` signs results; without it there are none.
    Attestation(const Context& context, const ReferenceLibrary& references, const Grants& grants,
                const std::optional<cose::Signer>& results_key)
        : context_{context}, references_{references}, grants_{grants}, results_key_{results_key} {}

    [[nodiscard]] Answer challenge(const store::Platform& caller) const;
    /// `caller`: as it was when its token was checked.
    [[nodiscard]] Answer evidence(const store::Platform& caller, const Json& body, std::string_view raw_body) const;
    [[nodiscard]] Answer orders(const std::string& platform_id) const;

private:
    [[nodiscard]] Result<store::Challenge, ApiError> take_challenge(const std::string& id,
                                                                    const std::string& platform_id) const;
    void count(const Issued& issued, const store::AppraisalRecord& record) const;
    struct Verdict;
    [[nodiscard]] Verdict judge(const attest::EvidenceBundle& evidence, const store::Platform& platform,
                                const store::Challenge& challenge, std::int64_t minimum_epoch, References references) const;
    static void describe(store::AppraisalRecord& record, const Judgement& judgement, const Facts& facts, const Issued& issued);
    [[nodiscard]] Json answer_of(const Judgement& judgement, const Issued& issued, const std::string& token) const;
    [[nodiscard]] std::int64_t next_in(const Issued& issued) const;

    const Context& context_;
    const ReferenceLibrary& references_;
    const Grants& grants_;
    const std::optional<cose::Signer>& results_key_;
    mutable std::atomic<std::int64_t> minimum_epoch_{0}; // as seen last: a guess
};

} // namespace casemate::verifier
