// SPDX-License-Identifier: Apache-2.0
// Verdicts looked at again: a platform's newest signed result, the same evidence judged once more, and evidence that is
// only tried. None of these consumes a challenge, grants anything or changes what is stored; both appraisals are audited.
// Routes: GET .../platforms/{id}/result, POST .../results/{id}/appraisal, POST /v1/appraisals.
#pragma once

#include "attest/verifier/judgement.hpp"
#include "attest/verifier/principal.hpp"

namespace casemate::verifier {

class Results {
public:
    Results(const Context& context, const ReferenceLibrary& references) : context_{context}, references_{references} {}

    /// 404 `result_unknown`, also when the verifier signs none.
    [[nodiscard]] Answer newest(const std::string& platform_id) const;
    /// With the facts and reference sets of then. 404 `result_unknown`, 409 `facts_unknown`, `reference_gone`.
    [[nodiscard]] Answer appraise_again(const std::string& result_id, const Principal& actor) const;
    /// `{platform_id, nonce, evidence, reference?}`: against the accepted sets, or against `reference` alone.
    [[nodiscard]] Answer dry_run(const Json& body, const Principal& actor) const;

private:
    [[nodiscard]] Result<References, ApiError> sets_for(const Json& body) const;

    const Context& context_;
    const ReferenceLibrary& references_;
};

} // namespace casemate::verifier
